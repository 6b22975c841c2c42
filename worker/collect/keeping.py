"""What becomes of one look at a cluster: rows are kept, five minutes are put together, and what is old goes.

What a sink does not take now waits in memory, and is written with the next look; of too many the oldest are lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from shared.connections.yarn import YarnConnection
from shared.domain.collected import QueueSample
from shared.domain.configuration_change import ConfigChange
from shared.domain.queue_tree import QueueTree
from worker.collect.configuration import Key, changes, newest
from worker.collect.rollups import LENGTH, beginning_of, rollups
from worker.collect.sampler import cluster_sample, queue_samples
from worker.collect.sinks.base import SampleSink
from worker.collect.tables import CLUSTER, CONFIG, QUEUES, ROLLUPS, TABLES, Row, Table
from worker.collect.trees import TreeKeeping

MAX_WAITING = 40  # writes: some minutes of samples
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LOOK_BACK = timedelta(hours=1)  # for minutes that whoever collected before has not put together
TIDY_EVERY = timedelta(minutes=10)

log = structlog.get_logger(__name__)


class Keeping:
    """Of one cluster, for as long as its connection stays as it is."""

    def __init__(self, connection: YarnConnection, sink: SampleSink, trees: TreeKeeping) -> None:
        self._connection, self._sink, self._trees, self._cluster = connection, sink, trees, connection.cluster
        self._waiting: deque[tuple[Table, Sequence[Row]]] = deque()
        self._known: dict[Key, ConfigChange] | None = None
        self._rolled_up_to: datetime | None = None
        self._tidy_at = FIRST

    def keep(self, tree: QueueTree, at: datetime) -> int:
        """Keep what the tree says of this moment; returns how many series it has. Raises what the sink raises.

        Whatever is raised, the samples are kept with the next look.
        """
        samples, of_cluster = queue_samples(tree, self._cluster, at), cluster_sample(tree, self._cluster, at)
        self._put(QUEUES, samples)
        self._put(CLUSTER, [] if of_cluster is None else [of_cluster])
        is_changed = False
        try:
            self._write()
            is_changed = self._keep_configuration(tree, at)
        finally:  # whatever becomes of the samples, people see the tree
            self._trees.keep(tree, at, is_changed=is_changed)
        self._roll_up(at)
        self._tidy(at)
        return len(samples)

    def forget_what_was_known(self) -> None:
        """Look again at what the sink has: another process may have written meanwhile."""
        self._known, self._rolled_up_to = None, None

    def _put(self, table: Table, rows: Sequence[Row]) -> None:
        if rows:
            self._waiting.append((table, rows))
        if len(self._waiting) > MAX_WAITING:
            lost, rows = self._waiting.popleft()
            log.warning("samples are lost: nobody takes them", cluster=self._cluster, table=lost.name, rows=len(rows))

    def _write(self) -> None:
        while self._waiting:
            self._sink.write(*self._waiting[0])
            self._waiting.popleft()

    def _keep_configuration(self, tree: QueueTree, at: datetime) -> bool:
        """Whether it is not what it was."""
        if self._known is None:
            read = self._sink.read(CONFIG, self._cluster, FIRST, at + timedelta(days=1))
            kept = [row for row in read if isinstance(row, ConfigChange)]
            self._known = newest(kept)
            self._trees.catch_up(kept, at)
        if rows := changes(tree, self._known, self._cluster, at):
            self._sink.write(CONFIG, rows)
            self._known |= newest(rows)
            self._trees.changed(rows)
        return bool(rows)

    def _roll_up(self, at: datetime) -> None:
        """Put together the five minutes that are over, of what the sink has of them, whoever took it."""
        until = beginning_of(at)
        start = max(self._rolled_up_to or FIRST, until - LOOK_BACK)
        while start < until:
            samples = self._sink.read(QUEUES, self._cluster, start, start + LENGTH)
            self._sink.write(ROLLUPS, rollups(sample for sample in samples if isinstance(sample, QueueSample)))
            start += LENGTH
        self._rolled_up_to = until

    def _tidy(self, at: datetime) -> None:
        """Changes of the configuration stay: the last of a queue may be years old, and is what counts."""
        if at < self._tidy_at:
            return
        self._tidy_at = at + TIDY_EVERY  # also of what goes wrong: the samples are kept
        kept = {
            QUEUES: self._connection.keep_samples,
            CLUSTER: self._connection.keep_samples,
            ROLLUPS: self._connection.keep_rollups,
        }
        for table in TABLES:
            if (length := kept.get(table)) is not None:
                self._sink.forget(table, self._cluster, length.before(at))
            self._sink.tidy(table, self._cluster, at)
