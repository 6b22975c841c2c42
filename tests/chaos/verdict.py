"""What a job must have come to, whatever was done to it; and what must be left behind: nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.forecasts import Failure
from shared.domain.jobs import Job, JobState
from tests.chaos.fleet import ChaosFleet
from tests.polling import eventually

HORIZON = 24
LASTING = (
    "fleet",
    "worker",
    "slots",
    "version:",
    "catalogue",
    "reaper",
    "_kombu.binding",
)  # keys that belong to the fleet and to no job


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The right end of a job.

    queues: those with a forecast. failed: queue → a part of its reason. failures: model → names of the errors that its
    candidates may end with, of every queue with a forecast; models that are not named may not fail.
    """

    job_id: str
    queues: Sequence[str]
    failed: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def state(self) -> JobState:
        """As its queues have it."""
        return JobState.PARTIAL if self.failed and self.queues else JobState.FAILED if self.failed else JobState.SUCCEEDED


def wrongs(fleet: ChaosFleet, expected: Expected) -> list[str]:
    """What is not as it should be; empty when all is well."""
    job = fleet.store.jobs.get(expected.job_id)
    found = [] if job.state is expected.state else [f"{job.job_id} is {job.state}, not {expected.state}: {job.reason}"]
    steps = Counter({forecast.queue: forecast.horizon_steps for forecast in fleet.store.forecasts.find(job_id=job.job_id)})
    if steps != Counter(dict.fromkeys(expected.queues, HORIZON)):
        found.append(f"{job.job_id} has forecasts {dict(steps)}, expected are {len(expected.queues)} of {HORIZON} steps")
    for queue, part in expected.failed.items():
        reason = fleet.store.reports.get(job.job_id, queue).reason or ""
        if part not in reason:
            found.append(f"{queue} of {job.job_id} failed for {reason!r}, expected {part!r}")
    return found + list(_wrong_outcomes(fleet, expected)) + _ends(fleet, job.job_id)


def _wrong_outcomes(fleet: ChaosFleet, expected: Expected) -> Iterator[str]:
    for queue in expected.queues:
        outcomes = fleet.store.reports.get(expected.job_id, queue).outcomes
        twice = [label for label, times in Counter(each.candidate.label for each in outcomes).items() if times > 1]
        if twice:
            yield f"{queue} of {expected.job_id} has two outcomes of {twice}"
        for each in outcomes:
            accepted = expected.failures.get(each.candidate.model, frozenset())
            if isinstance(each, Failure) and each.error not in accepted:
                yield f"{each.candidate.label} of {queue} failed: {each.reason}"
            if accepted and not isinstance(each, Failure) and each.candidate.model.startswith("poisoned"):
                yield f"{each.candidate.label} of {queue} did not fail"


def _ends(fleet: ChaosFleet, job_id: str) -> list[str]:
    """A job ends once: whoever moved its row says so in the log."""
    texts = [log.read_text(errors="replace") for log in (fleet.settings.data_dir / "logs").glob("*.log*")]
    lines = [line for text in texts for line in text.splitlines() if '"job ended"' in line]
    ends = sum(json.loads(line).get("job_id") == job_id for line in lines)
    return [f"{job_id} ended {ends} times"] if ends > 1 else []


def leftovers(fleet: ChaosFleet) -> list[str]:
    """Keys in any database of the broker that belong to no living thing."""
    client = fleet.run_state.client
    found: list[str] = []
    for number in (0, 1, 2):
        client.execute_command("SELECT", number)
        keys = sorted(key.decode() for key in client.keys("*"))
        found += [f"{number}:{key}" for key in keys if not key.startswith(LASTING)]
    client.execute_command("SELECT", 2)
    return found


def assert_right(fleet: ChaosFleet, job_id: str, queues: Sequence[str], *, within: float = 60, **more: Any) -> Job:
    """The job ends within so many seconds, as it should (`more` as Expected has it)."""
    job = fleet.ended(job_id, within)
    assert wrongs(fleet, Expected(job_id=job_id, queues=queues, **more)) == []
    return job


def assert_nothing_left(fleet: ChaosFleet) -> None:
    """The broker is empty, if not yet, then soon."""
    eventually(lambda: not leftovers(fleet), within=60, what="an empty broker")
