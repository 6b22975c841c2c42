"""Notices of ended jobs that receivers are to have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.notices import Notice
from shared.errors import NotFound
from shared.store.records import Between, Is, Records
from shared.store.tables import Column, Kept, Kind, Table

NOTICES = Table(
    name="notices",
    value=Notice,
    columns=(
        Column("notice_id"),
        Column("job_id"),
        Column("created_at", Kind.CLOCK),
        Column("due_at", Kind.CLOCK, may_lack=True),
    ),
    key=("notice_id",),
    indexes=(("due_at",), ("created_at",)),
    kept=Kept(by="created_at", setting="keep_jobs"),
)


@dataclass(frozen=True, slots=True)
class Notices:
    """Notices by id."""

    records: Records

    def add(self, notice: Notice) -> None:
        """Keep a notice; one that is known already stays as it is."""
        self.records.add(NOTICES, notice)

    def due(self, now: datetime, limit: int) -> list[Notice]:
        """Those that are to be tried, the longest due first."""
        until = now + timedelta(microseconds=1)
        return self.records.find(NOTICES, [Between("due_at", None, until)], order=(("due_at", True),), limit=limit)

    def of_job(self, job_id: str) -> list[Notice]:
        """Of the runs of a job."""
        return self.records.find(NOTICES, [Is("job_id", job_id)])

    def replace(self, known: Notice, new: Notice) -> bool:
        """Compare-and-set: `new` in place of `known`, if that is how it still stands; whether this call did it."""
        try:
            return self.records.update_if(NOTICES, [known.notice_id], lambda notice: new if notice == known else None)
        except NotFound:
            return False
