"""Lanes: where Celery's tasks wait, callbacks first, heavy work apart; and how long a task may take in any of them."""

from __future__ import annotations

from enum import StrEnum

MAX_TASK_SECONDS = 120  # the hard limit of a task in every lane; a test asserts that no task declares more
SOFT_LIMIT_SECONDS = 90  # what runs longer is told to stop, and becomes a Failure


class Lane(StrEnum):
    """Celery's queues, in the order in which workers serve them."""

    SELECT = "select"
    CHECK = "check"
    PLAN = "plan"
    SCORE = "score"
    HEAVY = "heavy"
