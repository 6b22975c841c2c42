"""Whereabouts: where each connection led when a job last read over it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.domain.whereabouts import Whereabouts
from shared.store.records import Is, Records, given
from shared.store.tables import Column, Table

WHEREABOUTS = Table(
    name="whereabouts",
    value=Whereabouts,
    columns=(Column("connection"), Column("database")),
    key=("connection", "database"),
)


@dataclass(frozen=True, slots=True)
class KnownWhereabouts:
    """Whereabouts by connection, and the database that requests named there."""

    records: Records

    def save(self, known: Whereabouts) -> None:
        """Keep them; those of before are replaced."""
        self.records.put_many(WHEREABOUTS, [known])

    def get(self, connection: str, database: str) -> Whereabouts | None:
        """None = no job has read there."""
        return self.records.first(WHEREABOUTS, given(connection=connection, database=database))

    def of_connection(self, connection: str) -> list[Whereabouts]:
        """Those of each database."""
        return self.records.find(WHEREABOUTS, [Is("connection", connection)])

    def accept_move(self, connection: str) -> None:
        """The next job says where it leads."""
        known = [each for each in self.of_connection(connection) if each.addresses]
        self.records.put_many(WHEREABOUTS, [replace(each, addresses=(), left=each.addresses) for each in known])
