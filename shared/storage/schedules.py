"""Schedules: the part of the store that keeps them, said once.

The promises of shared/storage/base.py hold here too. One contract suite runs on every store:
tests/shared/storage/test_every_schedule_store.py.
"""

from __future__ import annotations

from typing import Protocol

from shared.allowances import UNLIMITED, Allowance
from shared.schedules import Schedule


class Schedules(Protocol):
    """Schedules by id."""

    def add(self, schedule: Schedule, allowance: Allowance = UNLIMITED) -> None:
        """Keep a new schedule; one whose id is known already stays as it is. Raises AllowanceUsedUp, as `add_job` does."""
        ...

    def get(self, schedule_id: str) -> Schedule:
        """The schedule of this id; raises ScheduleNotFound."""
        ...

    def all(self) -> list[Schedule]:
        """Every schedule, by id."""
        ...

    def replace(self, known: Schedule, new: Schedule) -> bool:
        """Compare-and-set: `new` in place of `known`, if that is how it still stands; whether this call did it."""
        ...

    def remove(self, schedule_id: str) -> None:
        """Forget a schedule; one that is gone is no error."""
        ...
