"""How many queues of a job run at a time."""

from __future__ import annotations

import pytest

from worker.window import window


@pytest.mark.parametrize(
    ("slots", "tasks_per_queue", "queues"),
    [(0, 20, 4), (2, 20, 4), (2, 1, 6), (64, 12, 16), (64, 0, 192)],
)
def test_the_window_keeps_every_slot_busy_three_times_over(slots: int, tasks_per_queue: int, queues: int) -> None:
    assert window(slots, tasks_per_queue) == queues


@pytest.mark.parametrize(("tasks_per_queue", "queues"), [(50, 4), (67, 3), (150, 2), (2_000, 2)])
def test_queues_of_many_tasks_are_let_in_fewer_at_a_time(tasks_per_queue: int, queues: int) -> None:
    assert window(2, tasks_per_queue) == queues
