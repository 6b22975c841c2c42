"""Queues that are read together: which block comes when, and what is kept of a queue and how long, on a real server."""

from __future__ import annotations

import pytest

from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import Reads, Room
from tests.factories import DEADLINE, MONDAY, a_work

JOB = "job-1"
NAMES = tuple(f"root.q{number}" for number in range(5))
ALL = Room(always=9, few=9, few_tasks=0, score_tasks=0, heavy_tasks=0)


@pytest.fixture
def job(run_state: RunState) -> RunState:
    """A job whose five queues are read two at a time."""
    run_state.begin_job(JOB, DEADLINE)
    run_state.name_queues(JOB, NAMES, MONDAY, planned=2, block=2)
    return run_state


def test_a_block_begins_when_the_first_queue_of_the_one_before_is_let_in(job: RunState) -> None:
    begins = [job.readings.upon(JOB, name).begins for name in NAMES]
    assert begins == [(0, 1), (), (2,), (), ()]
    job.readings.mark_read(JOB, 0)
    assert [job.readings.upon(JOB, name).awaited for name in NAMES] == [None, None, 1, 1, 2]


def test_queues_that_are_read_one_by_one_wait_for_nothing(run_state: RunState) -> None:
    run_state.begin_job(JOB, DEADLINE)
    run_state.name_queues(JOB, NAMES, MONDAY, planned=2)
    assert run_state.readings.upon(JOB, NAMES[0]) == Reads()
    assert run_state.readings.upon(JOB, "root.unknown") == Reads()


def test_what_was_read_stays_until_the_queue_has_its_work_or_its_end(job: RunState) -> None:
    job.turns.let_in(ALL)
    assert job.readings.unread(JOB, 0) == ["root.q0", "root.q1"] == job.readings.waiting(JOB, 0)
    job.readings.keep(JOB, {"root.q0": b"first", "root.q1": b"first"})
    job.readings.keep(JOB, {"root.q0": b"second"})  # who comes late changes nothing
    assert job.readings.get(JOB, "root.q0") == b"first"
    assert job.readings.unread(JOB, 0) == []
    assert job.keep_work(JOB, "root.q0", b"", a_work())
    job.end_queue(JOB, "root.q1", "failed")
    job.readings.keep(JOB, {"root.q0": b"third", "root.q1": b"third"})
    assert [job.readings.get(JOB, name) for name in NAMES[:2]] == [None, None]
    assert job.readings.waiting(JOB, 0) == []


def test_nothing_of_blocks_is_left_of_a_job_or_kept_for_one_that_has_ended(job: RunState) -> None:
    job.readings.keep(JOB, {"root.q4": b"read"})
    job.readings.mark_read(JOB, 2)
    job.drop_job(JOB)
    job.readings.keep(JOB, {"root.q4": b"late"})
    job.readings.mark_read(JOB, 2)
    assert job.client.keys("*") == []
