"""Reports of every queue of a cluster, once a day: a few queues with each look, so that none is late for them.

rollups of 7 and 28 days ── a few columns of a few queues ──▶ decisions/usage.py ──▶ our own store
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from shared.domain.usage import MONTH, WEEK
from shared.errors import QueuecastError
from shared.store import Store
from shared.telemetry.said_once import Outage
from worker.collect.rollups import beginning_of
from worker.collect.sinks.base import SampleSink
from worker.decisions.usage import OF_DEMAND, OF_WAITING, usage_of

EVERY, REST = timedelta(days=1), timedelta(hours=1)
ALIVE = timedelta(days=1)  # since when a queue has no five minutes is one that is gone
HOUR = timedelta(hours=1)
QUEUES_TOGETHER = 8
ONE = ("samples",)  # column, since only names are wanted

log = structlog.get_logger(__name__)


class Reports:
    """Of one cluster; used by one thread. Whoever makes them again replaces them."""

    def __init__(self, store: Store, sink: SampleSink, cluster: str) -> None:
        self._store, self._sink, self._cluster = store, sink, cluster
        self._outage = Outage(log.bind(cluster=cluster), "reports of queues are not made", "reports of queues are made again")
        self._due_at: datetime | None = None  # None = it is not known when the last ones were made
        self._began_at: datetime | None = None  # None = none are being made
        self._left: list[str] = []

    def go_on(self, at: datetime) -> None:
        """Make some, if any are due; raises nothing."""
        try:
            self._go_on(at)
        except QueuecastError as error:
            self._outage.met(error)
            self._began_at, self._due_at = None, at + REST
        else:
            self._outage.over()

    def forget_what_was_known(self) -> None:
        """Another process may have made them meanwhile."""
        self._due_at = self._began_at = None

    def make(self, at: datetime) -> int:
        """Make all now; returns of how many queues. Raises what sink and store raise."""
        names = self._names(at)
        for first in range(0, len(names), QUEUES_TOGETHER):
            self._make(names[first : first + QUEUES_TOGETHER], at)
        self._store.usages.drop_older(self._cluster, at)
        return len(names)

    def _go_on(self, at: datetime) -> None:
        if self._due_at is None:
            last = self._store.usages.newest_at(self._cluster)
            self._due_at = at if last is None else last + EVERY
        if self._began_at is not None:
            self._make_some(self._began_at)
        elif at >= self._due_at:
            names = self._names(at)
            if names or self._store.usages.newest_at(self._cluster) is not None:
                self._began_at, self._left = at, names
            else:  # of a new cluster, of which nothing is put together yet
                self._due_at = at + REST

    def _make_some(self, began_at: datetime) -> None:
        self._make(self._left[:QUEUES_TOGETHER], began_at)
        del self._left[:QUEUES_TOGETHER]
        if not self._left:
            self._store.usages.drop_older(self._cluster, began_at)
            self._began_at, self._due_at = None, began_at + EVERY

    def _names(self, at: datetime) -> list[str]:
        """Hour by hour: a day of all queues at once would take 60 MB."""
        hours = (at - place * HOUR for place in range(ALIVE // HOUR))
        return sorted({series.queue for end in hours for series in self._sink.series(self._cluster, ONE, end - HOUR, end)})

    def _make(self, queues: Sequence[str], at: datetime) -> None:
        until = beginning_of(at)
        weeks = {
            (series.queue, series.partition): series
            for series in self._sink.series(self._cluster, OF_WAITING, until - WEEK, until, queues=queues)
        }
        months = self._sink.series(self._cluster, OF_DEMAND, until - MONTH, until, queues=queues)
        made = [(weeks.get((month.queue, month.partition)), month) for month in months]
        self._store.usages.save([usage_of(week, month, self._cluster, at) for week, month in made if week is not None])
