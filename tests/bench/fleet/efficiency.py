"""(a) How much of the time that we hold worker processes is spent on candidates."""

from __future__ import annotations

from statistics import median

from tests.bench.fleet.bare import run_bare
from tests.bench.fleet.figures import Figure, Say
from tests.bench.fleet.stage import BASELINES, CORES, broker, request_of, stage, write_files
from tests.factories import a_request

QUEUES, VARIANTS, WINDOWS = 40, 12, 3
MILLISECONDS = 35.0  # a fit; 105 a candidate
HOLD = 0.90


def measure(say: Say, repeat: int) -> None:
    """Candidate CPU seconds of one bare process ÷ (wall × worker processes), with as many processes as cores and with one."""
    wanted = request_of("busy", VARIANTS, MILLISECONDS)
    with broker() as settings:
        assert settings.files_dir is not None
        write_files(settings.files_dir, QUEUES)
        bare = run_bare(a_request(**wanted), settings.files_dir)
        assert bare.candidates == QUEUES * (VARIANTS + BASELINES)
        say(Figure(part="a", what=f"bare process: CPU of {bare.candidates} candidates", value=bare.scoring, unit="s"))
        say(Figure(part="a", what="bare process: CPU with reading, windows, selection, refit", value=bare.everything, unit="s"))
        for slots in dict.fromkeys((CORES, 1)):
            with stage(settings, slots=slots) as here:
                ran = [here.run(**wanted) for _ in range(repeat if slots == CORES else 1)]
                sent_again = here.remedies()
            walls = [each.wall for each in ran]
            note = f"{slots} worker processes, walls {', '.join(f'{wall:.1f}' for wall in walls)} s"
            value = median(bare.scoring / (wall * slots) for wall in walls)
            say(Figure(part="a", what=f"efficiency, {note}", value=value, hold=("≥", HOLD)))
            spent = median(each.worker_cpu for each in ran) / bare.scoring
            say(Figure(part="a", what=f"worker CPU ÷ candidate CPU, {slots} worker processes", value=spent))
            say(Figure(part="a", what="sent again by the reaper, though nothing was lost", value=sent_again, hold=("≤", 0)))
