"""Lanes: where Celery's tasks wait, callbacks first, heavy work apart; and how long a task may take in any of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_TASK_SECONDS = 120  # the hard limit of a task in every lane; a test asserts that no task declares more
SOFT_LIMIT_SECONDS = 90  # what runs longer is told to stop, and becomes a Failure; a fleet may have other limits than these two


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLimits:
    """How long a task may take, and what follows from it."""

    soft_seconds: int = SOFT_LIMIT_SECONDS
    seconds: int = MAX_TASK_SECONDS

    @property
    def visibility_seconds(self) -> int:
        """After which a message that nobody has acknowledged is given to somebody else: it waits at most one time limit, and runs
        at most one. A shorter one at any worker makes all of them run tasks twice.
        """
        return 2 * self.seconds + 60


USUAL = TaskLimits()


class Lane(StrEnum):
    """Celery's queues, in the order in which workers serve them."""

    SELECT = "select"
    CHECK = "check"
    PLAN = "plan"
    SCORE = "score"
    HEAVY = "heavy"
