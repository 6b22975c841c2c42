"""What a collector would have kept of a made-up cluster, had it looked on for days: so that nobody waits for a first decision."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Self

from deploy.fake_cluster import FakeCluster
from shared.config.settings import Settings
from shared.connections.yarn import YarnConnection
from shared.domain.collected import ClusterSample, QueueSample
from shared.domain.queue_tree import QueueTree
from shared.domain.timegrid import MINUTE
from shared.errors import UsageError
from shared.yarn.answers import scheduler_answer
from shared.yarn.reading import read_tree
from worker.collect.configuration import changes
from worker.collect.rollups import LENGTH, Surroundings, beginning_of, rollups
from worker.collect.sampler import cluster_sample, queue_samples
from worker.collect.sinks.base import SampleSink
from worker.collect.sinks.opened import open_samples
from worker.collect.tables import CLUSTER, CONFIG, QUEUES, ROLLUPS

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)  # of looks is written at a time
LATER = timedelta(minutes=30)  # small files that were put together may go then: nobody has begun to read what is made up


@dataclass(frozen=True, slots=True)
class Past:
    """Where it is written: to what keeps the samples of a connection, under the name of its cluster."""

    connection: YarnConnection
    sink: SampleSink

    @classmethod
    def opened(cls, settings: Settings, name: str) -> Self:
        """Raises UnknownConnection, and UsageError for one that is no cluster or is not collected of."""
        connection = settings.connection(name)
        if not isinstance(connection, YarnConnection) or connection.may_apply:
            raise UsageError(f"--to {name!r}: accepted with --yarn is a connection of kind yarn that is collected of")
        return cls(connection, open_samples(settings, connection.samples, is_apart=False))

    def refuse_kept(self) -> None:
        """Raises UsageError: something of such a cluster is kept there, and nobody could tell it from what is made up."""
        if kept := self.sink.read(CONFIG, self.connection.cluster, FIRST, datetime.now(UTC)):
            since = min(getattr(row, CONFIG.time) for row in kept)
            found = f"samples of {self.connection.cluster} are kept in {self.connection.samples} since {since:{MINUTE}}"
            raise UsageError(f"{found}; take another `cluster` for the connection, or --force")

    def write(self, cluster: FakeCluster, length: timedelta, end: datetime, tell: Callable[[datetime], None]) -> int:
        """A look each five minutes, and what is made of them; returns how many looks. Written again it is there once.

        length: whole hours. tell: is told up to when it is written, now and then.
        """
        first, name = beginning_of(end) - length, self.connection.cluster
        self.sink.write(CONFIG, changes(_answered(cluster.tree(first.timestamp())), {}, name, first))
        hours = length // HOUR
        for hour in range(hours):
            self._write_hour(cluster, first + hour * HOUR)
            tell(first + (hour + 1) * HOUR)
        for table, now in product((QUEUES, CLUSTER, ROLLUPS), (end, datetime.now(UTC) + LATER)):
            self.sink.tidy(table, name, now)
        return hours * (HOUR // LENGTH)

    def _write_hour(self, cluster: FakeCluster, begin: datetime) -> None:
        queues: list[QueueSample] = []
        clusters: list[ClusterSample] = []
        for look in range(HOUR // LENGTH):
            at = begin + look * LENGTH
            tree = cluster.tree(at.timestamp())
            queues += queue_samples(tree, self.connection.cluster, at)
            clusters += [found] if (found := cluster_sample(tree, self.connection.cluster, at)) else []
        self.sink.write(QUEUES, queues)
        self.sink.write(CLUSTER, clusters)
        self.sink.write(ROLLUPS, rollups(queues, Surroundings(queues, clusters)))


def _answered(tree: QueueTree) -> QueueTree:
    """As a collector reads it: what an answer does not tell, it does not see change."""
    return read_tree(json.dumps(scheduler_answer(tree)).encode())
