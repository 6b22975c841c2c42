from __future__ import annotations

import pytest

from shared.domain.jobs import JobState
from shared.domain.states import OPEN_STATES, check_move, check_reopening, may_move, verdict

ENDS = {JobState.SUCCEEDED, JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED}


def test_a_queued_job_may_run_or_end_and_a_running_one_may_end() -> None:
    allowed = {(old, new) for old in JobState for new in JobState if may_move(old, new)}
    queued = {(JobState.QUEUED, new) for new in {JobState.RUNNING, *ENDS}}
    running = {(JobState.RUNNING, new) for new in ENDS}
    assert allowed == queued | running


def test_what_has_ended_is_no_longer_open() -> None:
    assert {state for state in JobState if not state.is_terminal} == OPEN_STATES
    assert {state for state in JobState if state.is_terminal} == ENDS


def test_a_move_that_is_allowed_from_all_expected_states_passes() -> None:
    check_move([JobState.QUEUED, JobState.RUNNING], JobState.FAILED)
    check_move([], JobState.QUEUED)


def test_a_move_that_is_not_names_the_states_it_is_not_allowed_from() -> None:
    with pytest.raises(ValueError, match="a job that is cancelled or failed cannot become running"):
        check_move([JobState.QUEUED, JobState.FAILED, JobState.CANCELLED], JobState.RUNNING)


def test_only_what_has_ended_may_be_queued_again() -> None:
    check_reopening(ENDS)
    check_reopening([])
    with pytest.raises(ValueError, match="a job that is queued or running has not ended"):
        check_reopening(JobState)


def test_a_job_whose_queues_all_have_forecasts_has_succeeded() -> None:
    assert verdict(3, {}) == (JobState.SUCCEEDED, None)


def test_a_job_with_some_forecasts_is_partial_and_says_which_are_missing() -> None:
    assert verdict(2, {"b": "no data", "a": "too short"}) == (
        JobState.PARTIAL, "2 of 4 queues have no forecast: a: too short; b: no data",
    )  # fmt: skip


def test_a_job_without_any_forecast_has_failed_and_names_five_of_its_queues() -> None:
    state, reason = verdict(0, {f"q{number}": "no data" for number in range(7)})
    assert state is JobState.FAILED
    assert reason is not None
    assert reason.startswith("7 of 7 queues have no forecast: q0: no data; ")
    assert reason.endswith("q4: no data; and 2 more")
