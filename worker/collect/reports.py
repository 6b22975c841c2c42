"""Reports of every queue of a cluster.

rollups of 7 and 28 days ── a few columns of a few queues ──▶ decisions/usage.py ──▶ our own store
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.usage import MONTH, WEEK
from shared.store import Store
from worker.collect.rollups import beginning_of
from worker.collect.sinks.base import SampleSink
from worker.decisions.usage import OF_DEMAND, OF_WAITING, usage_of

ALIVE = timedelta(days=1)  # since when a queue has no five minutes is one that is gone
AT_ONCE = timedelta(hours=6)  # of all queues: memory
QUEUES_TOGETHER = 8  # likewise: an answer of InfluxDB about twice as many takes 80 MB
ONE = ("samples",)  # column, since only names are wanted


class Reports:
    """Of one cluster. Whoever makes them again replaces them."""

    def __init__(self, store: Store, sink: SampleSink, cluster: str) -> None:
        self._store, self._sink, self._cluster = store, sink, cluster

    def make(self, at: datetime) -> int:
        """Make all now; returns of how many queues. Raises what sink and store raise."""
        names = self._names(at)
        for first in range(0, len(names), QUEUES_TOGETHER):
            self._make(names[first : first + QUEUES_TOGETHER], at)
        self._store.usages.drop_older(self._cluster, at)
        return len(names)

    def _names(self, at: datetime) -> list[str]:
        ends = (at - place * AT_ONCE for place in range(ALIVE // AT_ONCE))
        return sorted({series.queue for end in ends for series in self._sink.series(self._cluster, ONE, end - AT_ONCE, end)})

    def _make(self, queues: Sequence[str], at: datetime) -> None:
        until = beginning_of(at)
        weeks = {
            (series.queue, series.partition): series
            for series in self._sink.series(self._cluster, OF_WAITING, until - WEEK, until, queues=queues)
        }
        months = self._sink.series(self._cluster, OF_DEMAND, until - MONTH, until, queues=queues)
        made = [(weeks.get((month.queue, month.partition)), month) for month in months]
        self._store.usages.save([usage_of(week, month, self._cluster, at) for week, month in made if week is not None])
