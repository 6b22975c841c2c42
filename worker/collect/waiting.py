"""Rows that wait to be written: what a sink does not take now is written with the next look; of too many the oldest are lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import structlog

from worker.collect.sinks.base import SampleSink
from worker.collect.tables import Row, Table

MAX_ROWS = 30_000  # of a table, some 25 MB: of 500 queues half an hour at two looks a minute
MAX_TOGETHER = 5_000  # rows of one write, where those of several looks wait

log = structlog.get_logger(__name__)


class Waiting:
    """Of one cluster, in memory: what waits is lost with the process."""

    def __init__(self, sink: SampleSink, cluster: str) -> None:
        self._sink, self._cluster = sink, cluster
        self._looks: dict[Table, deque[Sequence[Row]]] = {}
        self._lost = 0  # rows, since it was told

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Behind those that wait."""
        looks = self._looks.setdefault(table, deque())
        if rows:
            looks.append(rows)
        while len(looks) > 1 and sum(map(len, looks)) > MAX_ROWS:
            lost = looks.popleft()
            if not self._lost:
                first = str(getattr(lost[0], table.time))
                log.warning("samples are lost: nobody takes them", cluster=self._cluster, table=table.name, first=first)
            self._lost += len(lost)

    def write(self) -> Iterator[list[Row]]:
        """Write all, the oldest of each table first; what it yields is written. Raises what the sink does: the rest waits on."""
        for table, looks in self._looks.items():
            while looks:
                together = _of_one_write(looks)
                rows = [row for look in together for row in look]
                self._sink.write(table, rows)
                for _ in together:
                    looks.popleft()
                yield rows
        if self._lost:
            log.warning("samples are kept again", cluster=self._cluster, lost_rows=self._lost)
            self._lost = 0


def _of_one_write(looks: deque[Sequence[Row]]) -> list[Sequence[Row]]:
    """The oldest look, and those behind it that are small enough."""
    together, size = [looks[0]], len(looks[0])
    for look in list(looks)[1:]:
        size += len(look)
        if size > MAX_TOGETHER:
            break
        together.append(look)
    return together
