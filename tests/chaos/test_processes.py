"""Rows 1 to 5 and 18: processes that are killed, asked to stop, or frozen."""

from __future__ import annotations

import signal
from random import Random

import pytest
import urllib3

from deploy.stack import CONTROL_LANES
from tests.api.bodies import a_body
from tests.chaos import faults
from tests.chaos.fleet import LANES, ChaosFleet, kill
from tests.chaos.scenario import assert_right_under_fire, start_over
from tests.chaos.verdict import assert_right, leftovers
from tests.factories import MONDAY
from tests.polling import eventually

LONG = {"pausing": {"variant": (0, 1), "milliseconds": (700,)}}  # about two seconds a candidate


def test_jobs_end_right_while_processes_are_killed(chaos: ChaosFleet) -> None:
    kinds = [faults.child_killed, faults.child_killed, faults.tree_killed]
    assert_right_under_fire(chaos, kinds, seed=1, times=8, pause=(0.5, 3.0))


def test_a_worker_asked_to_stop_finishes_its_tasks_and_costs_no_attempt(chaos: ChaosFleet) -> None:
    queues, job_id = scoring(chaos)
    watchdog = chaos.watchdog("worker")
    kill(watchdog, signal.SIGTERM)
    eventually(lambda: not watchdog.is_running(), what="the end of the worker")
    assert_right(chaos, job_id, queues)
    assert all("SIG" not in line for line in chaos.said)  # it ended by itself


def test_a_question_is_answered_while_candidates_have_all_other_slots(chaos: ChaosFleet) -> None:
    start_over(chaos, 4, [("worker", "plan,score", 2)], api=True)
    chaos.add_worker("control", ",".join(CONTROL_LANES), 1)
    chaos.submit(hyperparameters=LONG)
    eventually(lambda: _is_scoring(chaos), what="scores that run")
    body = a_body() | {"as_of": MONDAY.isoformat(), "model": "pausing"}
    answer = urllib3.request("POST", f"http://127.0.0.1:{chaos.port}/v1/jobs/validate", json=body, timeout=60, retries=False)
    assert answer.status == 200, answer.data
    assert answer.json()["valid"]
    assert _is_scoring(chaos)


def troubles(chaos: ChaosFleet) -> list[str]:
    return [line for line in chaos.said if " is ready after " not in line]


@pytest.mark.nightly
def test_a_worker_that_stands_still_for_three_seconds_is_left_alone(chaos: ChaosFleet) -> None:
    queues, job_id = scoring(chaos)
    assert faults.worker_frozen_for_a_while(chaos, Random(5))
    assert_right(chaos, job_id, queues)
    assert troubles(chaos) == []


@pytest.mark.nightly
def test_a_worker_that_stands_still_is_killed_and_its_successor_does_the_work(chaos: ChaosFleet) -> None:
    queues, job_id = scoring(chaos)
    assert faults.worker_frozen(chaos, Random(5))
    assert_right(chaos, job_id, queues)
    assert len(troubles(chaos)) == 1
    eventually(lambda: not leftovers(chaos), what="an empty broker")


def test_two_reapers_at_once_and_one_that_was_frozen_do_no_harm(chaos: ChaosFleet) -> None:
    queues = start_over(chaos, 4, [("worker", LANES, 1)])
    chaos.start_second_reaper()
    job_id = chaos.submit()
    eventually(lambda: chaos.is_working(job_id), what="work")
    assert faults.reaper_frozen(chaos, Random(18))
    assert faults.reaper_killed(chaos, Random(18))
    assert_right(chaos, job_id, queues)


def scoring(chaos: ChaosFleet) -> tuple[list[str], str]:
    """Start the fleet and a job whose candidates take both its slots; the names of its queues and its id."""
    queues = start_over(chaos, 2)
    job_id = chaos.submit(hyperparameters=LONG)
    eventually(lambda: _is_scoring(chaos), what="scores that run")
    return queues, job_id


def _is_scoring(chaos: ChaosFleet) -> bool:
    """Whether both slots work on candidates."""
    view = chaos.lanes()
    return view is not None and sum(held.lane == "score" for held in view.held.values()) >= 2
