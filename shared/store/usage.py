"""Reports of queues: for how long each waited and for what, and what it could give back. The newest of each alone is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.usage import QueueUsage
from shared.store.records import Between, Is, OneOf, Records, given
from shared.store.tables import Column, Kept, Kind, Table

QUEUE_USAGE = Table(
    name="queue_usage_reports",
    value=QueueUsage,
    columns=(Column("cluster"), Column("queue"), Column("partition"), Column("made_at", Kind.CLOCK)),
    key=("cluster", "queue", "partition"),
    indexes=(("queue",), ("made_at",)),
    kept=Kept(by="made_at", setting="keep_forecasts"),
)


@dataclass(frozen=True, slots=True)
class Usages:
    """Reports by cluster, queue and partition."""

    records: Records

    def save(self, reports: Sequence[QueueUsage]) -> None:
        """Keep reports, each in the place of the one before."""
        if reports:
            self.records.put_many(QUEUE_USAGE, reports)

    def find(self, clusters: Sequence[str], queue: str | None = None, partition: str | None = None) -> list[QueueUsage]:
        """Those of these clusters, by cluster, queue and partition; None = of any."""
        where = [OneOf("cluster", clusters), *given(queue=queue, partition=partition)]
        return self.records.find(QUEUE_USAGE, where) if clusters else []

    def newest_at(self, cluster: str) -> datetime | None:
        """When the last report of a cluster was made; None = there is none."""
        newest = self.records.find(QUEUE_USAGE, [Is("cluster", cluster)], order=(("made_at", False),), limit=1)
        return newest[0].made_at if newest else None

    def drop_older(self, cluster: str, moment: datetime) -> None:
        """Let go of reports made before this moment, which are of queues that are gone."""
        self.records.delete_some(QUEUE_USAGE, [Is("cluster", cluster), Between("made_at", None, moment)])
