"""How many queues run at a time, whatever job they are of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import LivingWorker
from tests.factories import MONDAY
from worker.job.concurrency import fill

NEVER = MONDAY + timedelta(days=36_500)


def let_in_at_once(run_state: RunState, slots: int, tasks: int, *, heavy: int = 0, heavy_slots: int = 0) -> int:
    """Queues that are let in of a large job, each of so many tasks."""
    run_state.begin_job("job-1", NEVER)
    run_state.name_queues("job-1", [f"root.q{number}" for number in range(300)], MONDAY, planned=tasks, heavy=heavy)
    run_state.members.announce(LivingWorker(worker_id="a", lanes=("select", "check", "plan", "score"), slots=slots))
    run_state.members.announce(LivingWorker(worker_id="b", lanes=("heavy",), slots=heavy_slots))
    return len(fill(run_state))


@pytest.mark.parametrize(
    ("slots", "tasks", "queues"),
    [(0, 20, 4), (2, 20, 4), (2, 1, 6), (64, 12, 64), (64, 1, 192)],
)
def test_every_slot_is_kept_busy_three_times_over(run_state: RunState, slots: int, tasks: int, queues: int) -> None:
    assert let_in_at_once(run_state, slots, tasks) == queues


@pytest.mark.parametrize(("tasks", "queues"), [(50, 4), (67, 3), (150, 2), (2_000, 2)])
def test_queues_of_many_tasks_are_let_in_fewer_at_a_time(run_state: RunState, tasks: int, queues: int) -> None:
    assert let_in_at_once(run_state, 2, tasks) == queues


def test_heavy_slots_are_kept_busy_too(run_state: RunState) -> None:
    assert let_in_at_once(run_state, 2, 20, heavy=3, heavy_slots=8) == 8


def test_slots_of_a_worker_that_joins_are_filled_at_once(run_state: RunState) -> None:
    assert let_in_at_once(run_state, 2, 20) == 4
    run_state.members.announce(LivingWorker(worker_id="c", lanes=("score",), slots=64))
    assert len(fill(run_state)) == 62
