"""Schedules in MongoDB: one document each, whose text is what is compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pymongo.collection import Collection as Documents

from shared.allowances import UNLIMITED, Allowance
from shared.documents import from_json, to_json
from shared.errors import ScheduleNotFound
from shared.schedules import Schedule
from shared.storage._mongo_admission import admit_schedule
from shared.storage._mongo_writes import insert_once, speaks_mongo
from shared.storage._reading import read_one, readable


class MongoSchedules:
    """The part of MongoStore that keeps schedules. Promises: shared/storage/schedules.py."""

    def __init__(self, of: Callable[[str], Documents[dict[str, Any]]]) -> None:
        self._of = of

    @speaks_mongo()
    def add(self, schedule: Schedule, allowance: Allowance = UNLIMITED) -> None:
        """Keep a new schedule."""
        with admit_schedule(self._of, schedule, allowance):
            insert_once(self._of("schedules"), schedule.schedule_id, {"document": to_json(schedule)})

    @speaks_mongo()
    def get(self, schedule_id: str) -> Schedule:
        """The schedule of this id; raises ScheduleNotFound."""
        found = self._of("schedules").find_one({"_id": {"$eq": schedule_id}})
        if found is None:
            raise ScheduleNotFound(schedule_id=schedule_id)
        return read_one("schedule", found, _schedule)

    @speaks_mongo()
    def all(self) -> list[Schedule]:
        """Every schedule, by id."""
        return readable("schedule", self._of("schedules").find({}, sort=[("_id", 1)]), _schedule)

    @speaks_mongo()
    def replace(self, known: Schedule, new: Schedule) -> bool:
        """Compare-and-set; whether this call did it."""
        same = {"_id": {"$eq": known.schedule_id}, "document": {"$eq": to_json(known)}}
        return self._of("schedules").update_one(same, {"$set": {"document": to_json(new)}}).matched_count == 1

    @speaks_mongo()
    def remove(self, schedule_id: str) -> None:
        """Forget a schedule."""
        self._of("schedules").delete_one({"_id": {"$eq": schedule_id}})


def _schedule(found: Mapping[str, Any]) -> Schedule:
    schedule: Schedule = from_json(Schedule, found["document"])
    return schedule
