"""How far a job is, and how long it still takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.durations import Duration
from shared.domain.jobs import JobState, Progress, QueueState, Tally
from shared.domain.pace import Pace, in_order, pace
from shared.domain.reports import QueueReport
from shared.domain.runs import Run
from tests.factories import MONDAY, a_job, a_request

MINUTE = timedelta(minutes=1)


def at(minutes: float, done: int = 0, total: int = 0, queues: int = 4, **changes: Any) -> Pace:
    """The pace some minutes after the job began, with so many of its candidates done."""
    progress = Progress(queues=Tally(total=queues), candidates=Tally(total=total, done=done))
    values: dict[str, Any] = {"state": JobState.RUNNING, "created_at": MONDAY, "started_at": MONDAY, "progress": progress}
    return pace(a_job(**(values | changes)), MONDAY + minutes * MINUTE)


def test_the_time_left_goes_on_at_the_pace_so_far() -> None:
    found = at(2, done=10, total=40)
    assert (found.share, found.elapsed, found.left) == (0.25, 2 * MINUTE, 6 * MINUTE)


def test_where_nothing_is_scored_the_queues_tell_the_pace() -> None:
    half = Progress(queues=Tally(total=20, done=10), candidates=Tally())
    found = at(2, run=Run.ACTUALS, progress=half)
    assert (found.share, found.left, found.stage) == (0.5, 2 * MINUTE, "reads actual values")


def test_once_queues_are_done_they_tell_more_than_candidates_that_are_still_added() -> None:
    progress = Progress(queues=Tally(total=50, done=5), candidates=Tally(total=60, done=50))
    assert at(2, progress=progress).left == 18 * MINUTE


def test_too_few_candidates_are_no_pace() -> None:
    assert at(2, done=4, total=40).left is None


def test_the_deadline_bounds_what_is_left() -> None:
    short = a_request(deadline=Duration(5, "min"))
    assert at(2, done=10, total=1_000, request=short).left == 3 * MINUTE
    assert at(9, done=10, total=1_000, request=short).left == timedelta(0)


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({"state": JobState.QUEUED, "started_at": None}, "waits for a worker to plan it"),
        ({"queues": 0}, "finds out which queues there are"),
        ({"done": 3, "total": 9}, "tries the candidates on the past"),
        ({"done": 9, "total": 9}, "chooses, fits the winners on the whole history, delivers"),
        ({"state": JobState.FAILED}, "has ended"),
    ],
)
def test_the_stage_is_told_in_words(changes: dict[str, Any], stage: str) -> None:
    assert at(1, **changes).stage == stage


def test_a_job_that_has_ended_is_whole_and_keeps_how_long_it_took() -> None:
    found = at(60, state=JobState.SUCCEEDED, ended_at=MONDAY + 3 * MINUTE)
    assert (found.share, found.elapsed, found.left) == (1.0, 3 * MINUTE, None)


def test_a_job_that_nobody_has_begun_has_taken_no_time() -> None:
    assert at(1, state=JobState.QUEUED, started_at=None).elapsed is None


def test_queues_that_run_or_failed_come_first() -> None:
    order = [QueueState.SUCCEEDED, QueueState.WAITING, QueueState.FAILED, QueueState.RUNNING]
    reports = [QueueReport(job_id="j", queue=f"q{n}", state=state) for n, state in enumerate(order)]
    assert [report.queue for report in in_order([*reports, QueueReport(job_id="j", queue="a", state=QueueState.FAILED)])] == [
        *("q3", "a", "q2", "q1", "q0"),
    ]
