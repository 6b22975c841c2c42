"""(a) How much of the time that we hold worker processes is spent on candidates."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tests.bench.fleet.bare import Bare, run_bare
from tests.bench.fleet.figures import Figure, Say
from tests.bench.fleet.stage import BASELINES, CORES, Ran, Stage, broker, request_of, stage, write_files
from tests.factories import a_request

QUEUES, VARIANTS = 40, 12
MILLISECONDS = 15.0  # a fit; 105 a candidate, which has seven windows
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
                _compare(say, here, bare, slots, [here.run(**wanted) for _ in range(repeat if slots == CORES else 1)])


def _compare(say: Say, here: Stage, bare: Bare, slots: int, ran: Sequence[Ran]) -> None:
    walls, processes = ", ".join(f"{each.wall:.1f}" for each in ran), f"{slots} worker process{'es' * (slots > 1)}"
    value = median(bare.scoring / (each.wall * slots) for each in ran)
    say(Figure(part="a", what=f"efficiency, {processes}, walls {walls} s", value=value, hold=("≥", HOLD)))
    if slots == CORES:
        taken = median(each.others_cpu / each.wall for each in ran)
        left = median(bare.scoring / (each.wall * slots - each.others_cpu) for each in ran)
        say(Figure(part="a", what=f"efficiency in what the machine's other processes left ({taken:.2f} cores taken)", value=left))
    spent = median(each.worker_cpu for each in ran) / bare.scoring
    say(Figure(part="a", what=f"worker CPU ÷ candidate CPU, {processes}", value=spent))
    say(Figure(part="a", what="sent again by the reaper, though nothing was lost", value=here.actions(), hold=("≤", 0)))
