"""Which jobs are decided on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.decision_requests import LOOK_BACK, may_decide
from shared.domain.durations import Duration
from shared.domain.jobs import JobState
from shared.domain.runs import Run
from tests.factories import MONDAY, a_job, a_request

LATER = timedelta(seconds=1)


@pytest.mark.parametrize("state", list(JobState))
def test_what_has_forecasts_is_decided_on(state: JobState) -> None:
    assert may_decide(a_job(), state) is (state in {JobState.SUCCEEDED, JobState.PARTIAL})
    assert not may_decide(a_job(run=Run.ACTUALS), state)


@pytest.mark.parametrize(("step", "most"), [(Duration(1, "h"), LOOK_BACK), (Duration(1, "w"), timedelta(weeks=1))])
def test_a_job_that_looks_back_is_not_decided_on(step: Duration, most: timedelta) -> None:
    request = a_request(aggregation_time_period=step)
    assert may_decide(a_job(request=request, created_at=MONDAY + most), JobState.SUCCEEDED)
    assert not may_decide(a_job(request=request, created_at=MONDAY + most + LATER), JobState.SUCCEEDED)


def test_a_late_retry_is_not_decided_on() -> None:
    request = a_request(as_of=None)
    assert may_decide(a_job(request=request, queued_at=MONDAY + LOOK_BACK), JobState.SUCCEEDED)
    assert not may_decide(a_job(request=request, queued_at=MONDAY + LOOK_BACK + LATER), JobState.SUCCEEDED)
