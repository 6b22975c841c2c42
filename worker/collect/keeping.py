"""What becomes of one look at a cluster: rows are kept, five minutes are put together, and what is old goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from shared.connections.yarn import YarnConnection
from shared.domain.collected import ClusterSample, QueueSample
from shared.domain.configuration_change import ConfigChange
from shared.domain.queue_tree import Calculator, QueueTree
from shared.store import Store
from worker.collect.beside import Beside, cluster_with, samples_with
from worker.collect.configuration import Key, changes, newest
from worker.collect.daily_reports import DailyReports
from worker.collect.decided import Decided
from worker.collect.rollups import LENGTH, Surroundings, beginning_of, rollups
from worker.collect.sampler import cluster_sample, queue_samples
from worker.collect.sinks.base import SampleSink
from worker.collect.tables import CLUSTER, CONFIG, QUEUES, ROLLUPS, TABLES, Rollup
from worker.collect.trees import TreeKeeping
from worker.collect.waiting import Waiting

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LOOK_BACK = timedelta(hours=1)  # for minutes that whoever collected before has not put together
TIDY_EVERY = timedelta(minutes=10)
NOTHING_BESIDE = Beside()


class Keeping:
    """Of one cluster, for as long as its connection stays as it is."""

    def __init__(self, connection: YarnConnection, sink: SampleSink, store: Store, reports: DailyReports | None = None) -> None:
        """reports: None = others make them."""
        self._connection, self._sink, self._cluster = connection, sink, connection.cluster
        self._trees, self._reports = TreeKeeping(store, self._cluster), reports
        self._waiting, self._decided = Waiting(sink, connection.cluster), Decided(store, connection.cluster)
        self._known: dict[Key, ConfigChange] | None = None
        self._not_rolled_up: set[datetime] | None = None  # beginnings of five minutes; None = not looked for yet
        self._kept_before: datetime | None = None
        self._tidy_at = FIRST
        self._counts_vcores = False
        self.has_changed = False  # whether the last tree was configured otherwise than the one before

    def keep(self, tree: QueueTree, at: datetime, beside: Beside = NOTHING_BESIDE) -> int:
        """Keep what a tree and what is beside it say of this moment; returns how many series it has. Raises what the sink raises.

        Whatever is raised, samples and changes of the configuration are kept with the next look.
        """
        self._counts_vcores = tree.calculator is Calculator.DOMINANT
        samples = samples_with(queue_samples(tree, self._cluster, at), beside)
        of_cluster = cluster_with(cluster_sample(tree, self._cluster, at), beside)
        self._waiting.put(QUEUES, samples)
        self._waiting.put(CLUSTER, [] if of_cluster is None else [of_cluster])
        self.has_changed = is_changed = self._known is not None and self._put_changes(self._known, tree, at)
        try:
            self._write(at)
            if self._known is None:
                self._known = self._kept_changes(at)
                is_changed = self._put_changes(self._known, tree, at)
                self._write(at)
        finally:  # whatever becomes of the samples, people see the tree
            self._trees.keep(tree, at, is_changed=is_changed)
            self._decided.compare(tree, at, is_changed=is_changed)
        self._roll_up(at)
        self._tidy(at)
        if self._reports is not None:
            self._reports.go_on(at)
        return len(samples)

    def forget_what_was_known(self, kept_before: datetime | None = None) -> None:
        """Look again at what the sink has: another process may have written meanwhile, up to this moment where one knows."""
        self._known, self._not_rolled_up, self._kept_before = None, None, kept_before
        if self._reports is not None:
            self._reports.forget_what_was_known()

    def end(self) -> None:
        """Nothing is kept any more."""
        if self._reports is not None:
            self._reports.end()

    def _kept_changes(self, at: datetime) -> dict[Key, ConfigChange]:
        """How each queue is configured, as far as the sink has it."""
        read = self._sink.read(CONFIG, self._cluster, FIRST, at + timedelta(days=1))
        kept = [row for row in read if isinstance(row, ConfigChange)]
        self._trees.catch_up(kept, at)
        return newest(kept)

    def _put_changes(self, known: dict[Key, ConfigChange], tree: QueueTree, at: datetime) -> bool:
        """Whether there are any. They have the time at which they were seen, also while nobody takes them."""
        rows = self._decided.named(changes(tree, known, self._cluster, at), tree, at)
        known |= newest(rows)
        self._waiting.put(CONFIG, rows)
        self._trees.changed(rows)
        return bool(rows)

    def _write(self, at: datetime) -> None:
        for rows in self._waiting.write():
            times = (row.timestamp for row in rows if isinstance(row, QueueSample))
            self._may_be_rolled_up(at).update(map(beginning_of, times))

    def _roll_up(self, at: datetime) -> None:
        """Put together the five minutes that are over, of what the sink has of them, whoever took it."""
        waiting = self._may_be_rolled_up(at)
        for start in sorted(start for start in waiting if start < beginning_of(at)):
            if rows := self._together(start):
                self._sink.write(ROLLUPS, rows)
            waiting.discard(start)

    def _together(self, start: datetime) -> list[Rollup]:
        samples = self._sink.read(QUEUES, self._cluster, start, start + LENGTH)
        queues = [sample for sample in samples if isinstance(sample, QueueSample)]
        if not queues:
            return []
        of_cluster = self._sink.read(CLUSTER, self._cluster, start, start + LENGTH)
        clusters = [sample for sample in of_cluster if isinstance(sample, ClusterSample)]
        return rollups(queues, Surroundings(queues, clusters, counts_vcores=self._counts_vcores))

    def _may_be_rolled_up(self, at: datetime) -> set[datetime]:
        """Those of the last hour at first, and of the last hour in which somebody collected."""
        if self._not_rolled_up is None:
            ends = [beginning_of(each) for each in (at, self._kept_before) if each is not None]
            self._not_rolled_up = {start for end in ends for start in _hour_up_to(end)}
        return self._not_rolled_up

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


def _hour_up_to(end: datetime) -> Iterator[datetime]:
    """The beginnings of its five minutes, the ones that have this moment too."""
    return (end - place * LENGTH for place in range(LOOK_BACK // LENGTH + 1))
