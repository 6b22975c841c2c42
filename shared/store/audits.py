"""The audit trail of decisions and policies: rows are added, and neither changed nor removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.domain.audits import AuditEntry
from shared.store.records import Between, Records, Where, given
from shared.store.tables import Column, Kind, Table

AUDITS = Table(
    name="audits",
    value=AuditEntry,
    columns=(Column("entry_id"), Column("at", Kind.CLOCK), Column("cluster"), Column("project"), Column("subject")),
    key=("entry_id",),
    indexes=(("at",), ("subject", "at")),
)


@dataclass(frozen=True, slots=True)
class Audits:
    """Entries by id, in the order of time."""

    records: Records

    def add(self, entry: AuditEntry) -> None:
        """Keep an entry; one that is known already stays as it is."""
        self.records.add(AUDITS, entry)

    def of(self, subject: str, limit: int = 1_000) -> list[AuditEntry]:
        """What was done to one decision or policy, the first first."""
        return self.records.find(AUDITS, given(subject=subject), order=(("at", True), ("entry_id", True)), limit=limit)

    def between(self, start: datetime | None = None, end: datetime | None = None, limit: int | None = None) -> list[AuditEntry]:
        """What was done in [start, end), the first first; None = open on that side."""
        where: Where = [Between("at", start, end)] if start or end else []
        return self.records.find(AUDITS, where, order=(("at", True), ("entry_id", True)), limit=limit)

    def newest(self, start: datetime, limit: int) -> list[AuditEntry]:
        """What was done since then, the last first."""
        return self.records.find(AUDITS, [Between("at", start, None)], order=(("at", False), ("entry_id", False)), limit=limit)
