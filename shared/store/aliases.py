"""Aliases: what queues of a cluster were called before, as administrators say it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.aliases import Alias, former_names
from shared.errors import QueueNotFound
from shared.store.records import Is, Records
from shared.store.tables import Column, Table

ALIASES = Table(
    name="queue_aliases",
    value=Alias,
    columns=(Column("cluster"), Column("new"), Column("old")),
    key=("cluster", "new"),
    missing=QueueNotFound,
)


@dataclass(frozen=True, slots=True)
class Aliases:
    """Aliases by cluster and the name that a queue has now."""

    records: Records

    def add(self, alias: Alias) -> bool:
        """Keep an alias; False = the queue has one already."""
        return self.records.add(ALIASES, alias)

    def remove(self, cluster: str, new: str) -> Alias:
        """Take an alias back; raises QueueNotFound. Nothing that was read or forecast through it goes."""
        alias = self.records.get(ALIASES, cluster, new)
        self.records.delete_some(ALIASES, [Is("cluster", cluster), Is("new", new)])
        return alias

    def of(self, cluster: str | None = None) -> list[Alias]:
        """Those of a cluster, or all, by cluster and name."""
        return self.records.find(ALIASES, [] if cluster is None else [Is("cluster", cluster)])

    def former(self, cluster: str, queue: str) -> tuple[Alias, ...]:
        """What a queue was called before, the last name first."""
        return former_names(queue, self.of(cluster))
