"""Schedules in this process's memory."""

from __future__ import annotations

from threading import Lock

from shared.allowances import UNLIMITED, Allowance
from shared.errors import ScheduleNotFound
from shared.schedules import Schedule


class MemorySchedules:
    """The part of MemoryStore that keeps schedules. Promises: shared/storage/schedules.py."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._schedules: dict[str, Schedule] = {}

    def add(self, schedule: Schedule, allowance: Allowance = UNLIMITED) -> None:
        """Keep a new schedule."""
        with self._lock:
            used = sum(known.account == schedule.account for known in self._schedules.values())
            allowance.check_schedules(schedule.account, used)
            self._schedules.setdefault(schedule.schedule_id, schedule)

    def get(self, schedule_id: str) -> Schedule:
        """The schedule of this id; raises ScheduleNotFound."""
        with self._lock:
            if schedule_id not in self._schedules:
                raise ScheduleNotFound(schedule_id=schedule_id)
            return self._schedules[schedule_id]

    def all(self) -> list[Schedule]:
        """Every schedule, by id."""
        with self._lock:
            return [schedule for _, schedule in sorted(self._schedules.items())]

    def replace(self, known: Schedule, new: Schedule) -> bool:
        """Compare-and-set; whether this call did it."""
        with self._lock:
            if self._schedules.get(known.schedule_id) != known:
                return False
            self._schedules[known.schedule_id] = new
            return True

    def remove(self, schedule_id: str) -> None:
        """Forget a schedule."""
        with self._lock:
            self._schedules.pop(schedule_id, None)
