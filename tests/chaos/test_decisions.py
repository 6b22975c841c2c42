"""Decisions whose worker is killed, and that are delivered twice: one proposal, and an answer for who has asked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.domain.decision_requests import DecisionRequest, Outcome, asked_by_hand, asked_by_job
from shared.domain.durations import Duration
from shared.domain.policies import Group
from shared.drivers.redis_server import redis_server
from shared.fleet.broker import enqueue_decision, make_celery
from tests.chaos.fleet import ChaosFleet
from tests.chaos.scenario import start_over
from tests.factories import MONDAY
from tests.polling import eventually
from tests.worker.job.decided import MB, ended_job, keep_queue

GROUP = Group("capacity forecasting", "files:", "")


def ask(chaos: ChaosFleet, times: int = 1) -> DecisionRequest:
    """For a decision on a queue that is short, in the last hour that has begun."""
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0)
    keep_queue(chaos.store, "root.etl", 100 * MB, 105 * MB, at=hour)
    by_job = asked_by_job(ended_job(chaos.store, at=hour), now)
    chaos.store.decision_requests.end(by_job.decision_id, Outcome.NOTHING, "", now)  # or the reaper has that decided, too
    request = asked_by_hand(GROUP, now, "t1", "ops")
    chaos.store.decision_requests.add(request)
    app = make_celery(redis_server(chaos.settings), "api")
    for _ in range(times):
        enqueue_decision(app, request.decision_id)
    return request


def assert_one_proposal(chaos: ChaosFleet, request: DecisionRequest) -> None:
    requests = chaos.store.decision_requests
    eventually(lambda: requests.get(request.decision_id).outcome, what=f"an answer; logs in {chaos.folder}")
    assert requests.get(request.decision_id).outcome is Outcome.DECIDED
    assert [each.decision_id for each in chaos.store.proposals.find(cluster="files:")] == [request.decision_id]
    assert [step.state.value for step in chaos.store.proposals.get(request.decision_id).steps] == ["proposed"]
    assert {file.name for file in chaos.store.proposals.files(request.decision_id)} == {"README.txt", "changes.csv"}
    assert len(chaos.store.audits.of(request.decision_id)) == 1


@pytest.mark.parametrize("point", ["before.make_known", "after.make_known"])
def test_a_worker_killed_beside_the_keeping_leaves_one_proposal(chaos: ChaosFleet, point: str) -> None:
    start_over(chaos, 1)
    chaos.point(point)
    request = ask(chaos)
    assert_one_proposal(chaos, request)
    assert not chaos.point_is_armed(point)


def test_a_decision_that_is_delivered_twice_is_one_proposal(chaos: ChaosFleet) -> None:
    start_over(chaos, 1)
    assert_one_proposal(chaos, ask(chaos, times=2))


def test_the_end_of_a_job_is_looked_at_once_and_changes_nothing_of_it(chaos: ChaosFleet) -> None:
    """Its forecasts are over, so that there is nothing to decide on; the worker that should see that is killed first.

    It was asked for when its data end: nothing is asked about a job that looks back.
    """
    start_over(chaos, 1)
    chaos.point("after.queuecast.decide")
    job = chaos.ended(chaos.submit(asked_at=MONDAY.timestamp(), deadline=Duration(10_000, "d")))
    decision_id = asked_by_job(job, job.asked_at).decision_id
    requests = chaos.store.decision_requests
    eventually(lambda: requests.get(decision_id).outcome, within=120, what=f"the end; logs in {chaos.folder}")
    assert requests.get(decision_id).outcome is Outcome.NOTHING
    assert chaos.store.jobs.get(job.job_id) == job
    assert not chaos.point_is_armed("after.queuecast.decide")
