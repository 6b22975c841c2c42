"""Many jobs of one project, and what they do to the jobs of others: nothing, whatever breaks meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
import urllib3

from shared.domain.jobs import JobState
from shared.errors import DeadlinePassed
from tests.chaos import faults
from tests.chaos.fleet import ChaosFleet
from tests.chaos.scenario import start_over
from tests.chaos.verdict import assert_right, leftovers
from tests.polling import eventually

GREEDY, MODEST = "greedy", "modest"
SLOW = {"pausing": {"milliseconds": (300,)}}


@pytest.mark.nightly
def test_a_small_job_ends_soon_behind_sixty_jobs_of_another_project(chaos: ChaosFleet) -> None:
    queues = start_over(chaos, 4)
    chaos.ended(chaos.submit(project=MODEST, queues=tuple(queues[:1])))  # warms the workers up
    many = [chaos.submit(project=GREEDY) for _ in range(60)]
    eventually(lambda: any(chaos.is_working(job_id) for job_id in many), what="work of the others")
    chaos.ended(chaos.submit(project=MODEST, queues=tuple(queues[:1])))
    assert sum(not chaos.store.jobs.get(job_id).state.is_terminal for job_id in many) > 30


def test_jobs_that_are_cancelled_make_room_for_those_that_wait(chaos: ChaosFleet) -> None:
    queues = start_over(chaos, 4, api=True)
    many = [chaos.submit(project=GREEDY, hyperparameters=SLOW) for _ in range(6)]
    waits = chaos.submit(project=GREEDY)
    eventually(lambda: any(chaos.is_working(job_id) for job_id in many), what="work")
    for job_id in many:
        answer = urllib3.request("POST", f"http://127.0.0.1:{chaos.port}/v1/jobs/{job_id}/cancel", timeout=60)
        assert answer.status == 202
    assert_right(chaos, waits, queues)
    eventually(lambda: not leftovers(chaos), what="an empty broker")


@pytest.mark.nightly
def test_a_worker_that_dies_with_its_queues_and_a_wiped_broker_keep_nobody_waiting(chaos: ChaosFleet) -> None:
    start_over(chaos, 2)
    jobs = [chaos.submit(project=project) for _ in range(4) for project in (GREEDY, MODEST, "third")]
    eventually(lambda: any(chaos.is_working(job_id) for job_id in jobs), what="work")
    assert faults.tree_killed(chaos, Random(1))
    eventually(lambda: some_have_ended(chaos, jobs, 2), what="the end of some")
    chaos.run_state.client.flushall()
    for job_id in jobs:
        job = chaos.ended(job_id)
        assert job.state in {JobState.SUCCEEDED, JobState.PARTIAL}  # partial: a step may meet its limit on a loaded machine
        assert DeadlinePassed().headline not in (job.reason or "")
    eventually(lambda: not leftovers(chaos), what="an empty broker")


def some_have_ended(chaos: ChaosFleet, jobs: Sequence[str], number: int) -> bool:
    """Whether so many jobs have."""
    return sum(chaos.store.jobs.get(job_id).state.is_terminal for job_id in jobs) >= number
