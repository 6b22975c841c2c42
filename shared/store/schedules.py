"""Schedules: recurring jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.allowances import UNLIMITED, Allowance
from shared.domain.schedules import Schedule
from shared.errors import ScheduleNotFound
from shared.store.records import Is, OneOf, Records, Waiting, Where
from shared.store.tables import Column, Table

SCHEDULES = Table(
    name="schedules",
    value=Schedule,
    columns=(Column("schedule_id"), Column("account"), Column("project", path="request.project")),
    key=("schedule_id",),
    missing=ScheduleNotFound,
)


@dataclass(frozen=True, slots=True)
class Schedules:
    """Schedules by id."""

    records: Records

    def add(self, schedule: Schedule, allowance: Allowance = UNLIMITED) -> None:
        """Keep a new schedule; one whose id is known already stays as it is. Raises AllowanceUsedUp, as that of a job does."""

        def check(waiting: Waiting) -> None:
            where: Where = [Is("account", schedule.account), OneOf("schedule_id", tuple(waiting), not_=True)]
            known = self.records.sum_by(SCHEDULES, where, "account", []).get(schedule.account, {"count": 0})
            allowance.check_schedules(schedule.account, int(known["count"]) + len(waiting))

        with self.records.admitting(f"schedules {schedule.account}", schedule.schedule_id, 0, check):
            self.records.add(SCHEDULES, schedule)

    def all(self, projects: Sequence[str] | None = None) -> list[Schedule]:
        """Every schedule of these projects, by id; None = of all."""
        return self.records.find(SCHEDULES, [] if projects is None else [OneOf("project", projects)])

    def replace(self, known: Schedule, new: Schedule) -> bool:
        """Compare-and-set: `new` in place of `known`, if that is how it still stands; whether this call did it."""
        try:
            return self.records.update_if(SCHEDULES, [known.schedule_id], lambda schedule: new if schedule == known else None)
        except ScheduleNotFound:
            return False

    def remove(self, schedule_id: str) -> None:
        """Forget a schedule; one that is gone is no error."""
        self.records.delete_some(SCHEDULES, [Is("schedule_id", schedule_id)])
