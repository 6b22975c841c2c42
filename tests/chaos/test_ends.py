"""Rows 19, 20 and 24: a deadline, a cancelled job, and a store that is away."""

from __future__ import annotations

import sqlite3
import time

import pytest
import urllib3

from shared.domain.durations import Duration
from shared.domain.jobs import JobState
from shared.domain.lanes import Lane
from shared.errors import DeadlinePassed
from shared.store import sqlite_path
from tests.chaos.fleet import ChaosFleet
from tests.chaos.scenario import at_work, start_over
from tests.chaos.verdict import assert_right, leftovers
from tests.polling import eventually

AWAY_SECONDS = 20.0
LOCKED_SECONDS = 20.0
SLOW = {"pausing": {"milliseconds": (700,)}}  # about two seconds a candidate


def test_at_its_deadline_a_job_ends_with_what_it_has(chaos: ChaosFleet) -> None:
    queues = start_over(chaos, 6)
    asked = time.time() - 58  # of a deadline of a minute two seconds are left
    job_id = chaos.submit(asked_at=asked, hyperparameters=SLOW, deadline=Duration(1, "min"))
    job = chaos.ended(job_id)
    assert job.state in {JobState.PARTIAL, JobState.FAILED}
    reports = {report.queue: report for report in chaos.store.reports.of_job(job_id)}
    late = [queue for queue in queues if queue in reports and reports[queue].reason]
    assert late
    assert all((reports[queue].reason or "").startswith(DeadlinePassed().headline) for queue in late)
    eventually(lambda: not leftovers(chaos), what="an empty broker")


def test_after_a_cancel_no_score_begins_and_the_lanes_drain(chaos: ChaosFleet) -> None:
    _, job_id = at_work(chaos, 8, api=True, hyperparameters=SLOW)
    answer = urllib3.request("POST", f"http://127.0.0.1:{chaos.port}/v1/jobs/{job_id}/cancel", timeout=60)
    assert answer.status == 202
    assert chaos.store.jobs.get(job_id).state is JobState.CANCELLED
    eventually(lambda: not leftovers(chaos), what="an empty broker")
    view = chaos.lanes()
    assert view is not None
    assert [view.depth(lane) for lane in Lane] == [0] * len(Lane)
    assert chaos.store.jobs.get(job_id).state is JobState.CANCELLED


@pytest.mark.nightly
def test_a_store_that_is_locked_for_a_while_fails_no_queue(chaos: ChaosFleet) -> None:
    queues, job_id = at_work(chaos)
    until = time.monotonic() + LOCKED_SECONDS
    database = sqlite3.connect(chaos.settings.store_location.removeprefix("sqlite:///"), timeout=30, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    eventually(lambda: time.monotonic() > until, what="the lock to be long enough")
    database.execute("ROLLBACK")
    database.close()
    assert_right(chaos, job_id, queues)


@pytest.mark.nightly
def test_a_store_that_is_moved_away_for_a_while_fails_no_queue(chaos: ChaosFleet) -> None:
    queues, job_id = at_work(chaos)
    place = sqlite_path(chaos.settings.store_location)
    place.rename(place.with_name("elsewhere"))
    until = time.monotonic() + AWAY_SECONDS
    eventually(lambda: time.monotonic() > until, what="the outage to be long enough")
    assert not place.exists()  # nobody has begun an empty one
    place.with_name("elsewhere").rename(place)
    assert_right(chaos, job_id, queues)
