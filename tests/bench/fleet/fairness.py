"""(c) A small job behind a big one."""

from __future__ import annotations

from statistics import median

from tests.bench.fleet.figures import Figure, Say
from tests.bench.fleet.stage import BASELINES, Stage, request_of, stage_over, write_table
from tests.polling import eventually

SMALL = 10  # candidates
BIG = 6_000
SHAPES = (300, 40)  # queues that the big job's candidates are spread over
MILLISECONDS = 10 / 7  # a fit; 10 a candidate, which has seven windows
HOLD = 5.0  # per cent of the big job's duration


def measure(say: Say, repeat: int) -> None:
    """Small jobs, one after the other, while the big one runs; their duration in per cent of the big one's."""
    for queues in SHAPES:
        with stage_over(write_table, queues) as here:
            _race(say, here, queues, repeat)


def _race(say: Say, here: Stage, queues: int, repeat: int) -> None:
    small = {**request_of("quick", SMALL - BASELINES, MILLISECONDS), "queues": ("root.q0000",)}
    idle = here.run(**small)
    assert idle.candidates == SMALL
    job_id = here.fleet.submit(**request_of("quick", BIG // queues - BASELINES, MILLISECONDS))
    eventually(lambda: here.fleet.run_state.running_queues(job_id), what="queues that run")
    waits = []
    for _ in range(max(3, repeat)):
        waits.append(here.run(**small).wall)
        assert not here.fleet.store.jobs.get(job_id).state.is_terminal
    big = here.ended(job_id)
    assert big.ended_at is not None
    duration = (big.ended_at - big.created_at).total_seconds()
    assert big.progress.candidates.total == BIG
    shape = f"{BIG:,} candidates on {queues} queues"
    say(Figure(part="c", what=f"{shape}: duration (a small job alone takes {idle.wall:.2f} s)", value=duration, unit="s"))
    shown = ", ".join(f"{wait:.2f}" for wait in waits)
    share = 100 * median(waits) / duration
    say(Figure(part="c", what=f"a job of {SMALL} behind it, median of {shown} s", value=share, unit="%", hold=("≤", HOLD)))
