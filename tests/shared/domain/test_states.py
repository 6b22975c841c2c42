from __future__ import annotations

import pytest

from shared.domain.jobs import JobState
from shared.domain.states import OPEN_STATES, may_move, verdict

ENDS = {JobState.SUCCEEDED, JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED}


def test_a_queued_job_may_run_or_end_and_a_running_one_may_end() -> None:
    allowed = {(old, new) for old in JobState for new in JobState if may_move(old, new)}
    queued = {(JobState.QUEUED, new) for new in {JobState.RUNNING, *ENDS}}
    running = {(JobState.RUNNING, new) for new in ENDS}
    assert allowed == queued | running


def test_what_has_ended_is_no_longer_open() -> None:
    assert {state for state in JobState if not state.is_terminal} == OPEN_STATES
    assert {state for state in JobState if state.is_terminal} == ENDS


@pytest.mark.parametrize(
    ("succeeded", "failed", "state", "reason"),
    [
        (3, "", JobState.SUCCEEDED, None),
        (2, "ba", JobState.PARTIAL, "2 of 4 queues have no forecast: 2 queues: no data (a, b)"),
        (
            0,
            "gfedcba",
            JobState.FAILED,
            "7 of 7 queues have no forecast: 7 queues: no data (a, b and 5 more)",
        ),
    ],
)
def test_a_job_is_judged_by_its_queues(succeeded: int, failed: str, state: JobState, reason: str | None) -> None:
    assert verdict(succeeded, dict.fromkeys(failed, "no data")) == (state, reason)


def test_reasons_that_differ_in_more_than_the_name_of_the_queue_are_told_apart() -> None:
    failures = {"a": "Too short (queue a): 2 steps", "b": "Too short (queue b): 2 steps", "c": "Empty (queue c)"}
    assert verdict(0, failures)[1] == ("3 of 3 queues have no forecast: 2 queues: Too short: 2 steps (a, b); c: Empty (queue c)")
    assert (verdict(0, {name: f"{name}!" for name in "abcdefg"})[1] or "").endswith("e: e!; and 2 more")
