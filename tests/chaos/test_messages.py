"""Rows 13 to 17: messages that are lost, doubled, of another release or never sent, and processes that die exactly there."""

from __future__ import annotations

from contextlib import closing
from random import Random

import pytest

from shared.domain.lanes import Lane
from shared.drivers.redis_server import redis_server
from shared.fleet.broker import TaskName, make_celery
from tests.chaos.faults import lanes_client, messages_doubled
from tests.chaos.fleet import LANES, ChaosFleet
from tests.chaos.scenario import start_over
from tests.chaos.usage import write_usage
from tests.chaos.verdict import assert_right, leftovers
from tests.polling import eventually

ONE_BY_ONE = (("worker", LANES, 1),)
NIGHTLY = pytest.mark.nightly


POINTS = {
    f"before.{TaskName.SCORE}": 3,  # a chord of which only two are sent
    f"before.{TaskName.SELECT}": 1,  # the callback is claimed and never sent
    f"after.{TaskName.SELECT}": 1,  # sent, and the sender dies
    f"before.{TaskName.READ}": 1,  # queues are let in and nobody reads their block
    f"before.{TaskName.INGEST}": 2,  # they are read, and nobody takes the second of them up
}


def test_a_process_that_dies_while_it_sends_costs_nothing(chaos: ChaosFleet) -> None:
    queues = start_over(chaos, 3)
    for point, number in POINTS.items():
        chaos.point(point, number)
        assert_right(chaos, chaos.submit(), queues)
        assert not chaos.point_is_armed(point)
    eventually(lambda: not leftovers(chaos), what="an empty broker")


@pytest.mark.parametrize("lane", [pytest.param(Lane.PLAN, marks=NIGHTLY), Lane.SCORE, pytest.param(Lane.SELECT, marks=NIGHTLY)])
def test_messages_that_vanish_from_a_lane_are_sent_again(chaos: ChaosFleet, lane: Lane) -> None:
    queues = write_usage(chaos.settings.files_dir, 3)
    others = ",".join(other for other in (Lane.SELECT, Lane.CHECK, Lane.PLAN, Lane.SCORE) if other is not lane)
    chaos.start([("worker", others, 2)])
    job_id = chaos.submit()
    eventually(lambda: lanes_client(chaos).llen(lane), what=f"messages in {lane}")
    lanes_client(chaos).delete(lane)
    chaos.add_worker("late", lane, 2)
    assert_right(chaos, job_id, queues)


def test_messages_that_come_twice_change_nothing(chaos: ChaosFleet) -> None:
    queues = start_over(chaos, 3, ONE_BY_ONE)
    job_id = chaos.submit()
    rng, doubled = Random(17), 0
    while not chaos.store.jobs.get(job_id).state.is_terminal and doubled < 20:
        doubled += messages_doubled(chaos, rng)
    assert_right(chaos, job_id, queues)
    assert doubled
    eventually(lambda: not leftovers(chaos), what="an empty broker")


def test_a_job_whose_api_died_while_submitting_is_planned_by_the_reaper(chaos: ChaosFleet) -> None:
    queues = start_over(chaos, 2)
    early, late = chaos.add_row(), chaos.add_row()
    chaos.run_state.begin_job(late.job_id, late.deadline_at)
    for job_id in (early.job_id, late.job_id):
        assert_right(chaos, job_id, queues)


def test_messages_of_another_release_cost_no_job_anything(chaos: ChaosFleet) -> None:
    """Fewer arguments, more of them, and a task that nobody knows: sent while a job runs, and before its own."""
    queues = start_over(chaos, 3, [("other", Lane.HEAVY, 1)])
    job_id = chaos.submit()
    with closing(make_celery(redis_server(chaos.settings), "api")) as app:
        for name, arguments, lane in (
            (TaskName.PLAN.value, [job_id, "one more"], Lane.PLAN),
            (TaskName.SCORE.value, [job_id, queues[0]], Lane.SCORE),
            (TaskName.SELECT.value, [job_id, queues[0]], Lane.SELECT),
            ("queuecast.of_tomorrow", [job_id], Lane.PLAN),
        ):
            app.send_task(name, args=arguments, queue=lane.value)
    chaos.add_worker("worker", LANES, 2)
    assert_right(chaos, job_id, queues)
    eventually(lambda: not leftovers(chaos), what="an empty broker")
