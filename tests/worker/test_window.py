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
