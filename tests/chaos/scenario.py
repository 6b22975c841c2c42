"""Jobs under fire: submit some, inject faults while they run, say what came of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from shared.domain.jobs import Job
from tests.chaos.faults import Fault
from tests.chaos.fleet import LIGHT, ChaosFleet
from tests.chaos.outside import submit_outside, wrongs_outside
from tests.chaos.usage import write_usage
from tests.chaos.verdict import HORIZON, Expected, leftovers, wrongs
from tests.polling import eventually

MAX_SECONDS = 300.0  # from the last fault to the end of the last job
POISONS = ("segv", "raise", "memory")
POISONED = frozenset({"ProcessLost", "ValueError", "OutOfMemory", "TimeLimitReached"})
UNLUCKY = frozenset({"ProcessLost"})  # three kills from outside may hit the same candidate


def start_over(
    fleet: ChaosFleet, queues: int, workers: Sequence[tuple[str, str, int]] = LIGHT, *, cursed: int = 0, api: bool = False
) -> list[str]:
    """Start the fleet over so many queues, whose names are given; of the last `cursed` ones every candidate fails."""
    names = write_usage(fleet.settings.files_dir, queues, cursed=cursed)
    fleet.start(workers, api=api)
    return names


def at_work(fleet: ChaosFleet, queues: int = 4, *, api: bool = False, **changes: Any) -> tuple[list[str], str]:
    """Start the fleet and wait until it is in the middle of a job over so many queues; their names and the job's id."""
    names = start_over(fleet, queues, api=api)
    job_id = fleet.submit(**changes)
    eventually(lambda: fleet.is_working(job_id), what="work")
    return names, job_id


@dataclass(kw_only=True)
class Outcome:
    """One line of the table."""

    injected: int = 0
    jobs: int = 0
    right: int = 0
    expected: int = 0  # forecast rows
    found: int = 0
    recovery_seconds: float = 0.0  # from the last fault to the end of the last job
    wrongs: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether all went as it should."""
        return not self.wrongs


def under_fire(
    fleet: ChaosFleet,
    faults: Sequence[Fault],
    *,
    rng: Random,
    times: int,
    pause: tuple[float, float],
    queues: Sequence[str],
    cursed: Sequence[str] = (),
) -> Outcome:
    """Three jobs, one of them poisoned, and at most `times` faults as long as one of them runs."""
    jobs = submit_jobs(fleet, queues, cursed)
    outcome = Outcome(jobs=len(jobs))
    eventually(lambda: any(fleet.is_working(job.job_id) for job in jobs), what="work to disturb")
    while outcome.injected < times and not _have_ended(fleet, jobs):
        outcome.injected += rng.choice(faults)(fleet, rng)
        time.sleep(rng.uniform(*pause))  # no wait for anything: the rhythm of the faults, which the seed decides
    last = time.monotonic()
    eventually(lambda: _have_ended(fleet, jobs), within=MAX_SECONDS, what=f"the end of all jobs; logs in {fleet.folder}")
    outcome.recovery_seconds = time.monotonic() - last
    judge(fleet, jobs, outcome)
    return outcome


def assert_right_under_fire(
    fleet: ChaosFleet, faults: Sequence[Fault], *, seed: int, times: int, pause: tuple[float, float]
) -> None:
    """Nine queues, one of them cursed; something was injected and all jobs come to their right end."""
    *queues, cursed = start_over(fleet, 9, cursed=1)
    outcome = under_fire(fleet, faults, rng=Random(seed), times=times, pause=pause, queues=queues, cursed=[cursed])
    assert (bool(outcome.injected), outcome.wrongs) == (True, [])


def submit_jobs(fleet: ChaosFleet, queues: Sequence[str], cursed: Sequence[str]) -> list[Expected]:
    """Two ordinary jobs over the queues that work, and a poisoned one over all, of which the cursed ones must fail.

    Where there is an API one of the ordinary jobs comes through it.
    """
    outside = submit_outside(fleet, "outside", queues=list(queues), model="pausing") if fleet.has_api else None
    plain = [fleet.submit(queues=tuple(queues)), outside or fleet.submit(queues=tuple(queues))]
    poisoned = fleet.submit(
        queues=(*queues, *cursed),
        model=("pausing", "poisoned"),
        hyperparameters={"poisoned": {"how": POISONS}, "pausing": {"variant": (0, 1)}},
    )
    unlucky = {"pausing": UNLUCKY, "seasonal_naive": UNLUCKY, "hour_mean": UNLUCKY, "last_value": UNLUCKY}
    return [
        *(Expected(job_id=job_id, queues=queues, failures=unlucky) for job_id in plain),
        Expected(
            job_id=poisoned,
            queues=queues,
            failed=dict.fromkeys(cursed, "No candidate could be scored"),
            failures=unlucky | {"poisoned": POISONED},
        ),
    ]


def judge(fleet: ChaosFleet, jobs: Iterable[Expected], outcome: Outcome) -> None:
    """Compare all jobs with what they should be, and look for rests."""
    for expected in jobs:
        found = wrongs(fleet, expected) + (list(wrongs_outside(fleet, expected)) if fleet.has_api else [])
        outcome.right += not found
        outcome.wrongs += found
        outcome.expected += len(expected.queues) * HORIZON
        outcome.found += sum(forecast.horizon_steps for forecast in fleet.store.forecasts.find(job_id=expected.job_id))
    try:
        eventually(lambda: not leftovers(fleet), what="an empty broker")
    except AssertionError as error:
        outcome.wrongs.append(f"{error}, but there is {leftovers(fleet)[:5]}")


def _have_ended(fleet: ChaosFleet, jobs: Sequence[Expected]) -> bool:
    rows: list[Job] = [fleet.store.jobs.get(expected.job_id) for expected in jobs]
    return all(job.state.is_terminal for job in rows)
