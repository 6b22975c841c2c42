"""Actual values: what was read of a series, by step."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from shared.domain.reports import Actual, Point
from shared.store.records import Between, Is, OneOf, Records, Where
from shared.store.tables import SERIES_COLUMNS, STEP_COLUMN, Column, Kept, Kind, Table

ACTUALS = Table(
    name="actuals",
    value=Actual,
    columns=(*SERIES_COLUMNS, STEP_COLUMN, Column("timestamp", Kind.GRID), Column("value", Kind.REAL)),
    key=("queue", "metric", "period_seconds", "timestamp"),
    has_document=False,
    kept=Kept(by="timestamp", setting="keep_actuals", each=("queue", "metric", "period_seconds")),
)


@dataclass(frozen=True, slots=True)
class Actuals:
    """Actual values by (queue, metric, step_seconds, timestamp)."""

    records: Records

    def save(self, queue: str, metric: str, step_seconds: int, points: Sequence[Point]) -> None:
        """Keep what was read; the same step again replaces the value. Gaps are not kept."""
        values = [
            Actual(queue=queue, metric=metric, step_seconds=step_seconds, timestamp=point.timestamp, value=point.value)
            for point in points
            if point.value is not None
        ]
        self.records.put_many(ACTUALS, values)

    def get(self, queue: str, metric: str, step_seconds: int, start: datetime, end: datetime) -> list[Point]:
        """Actual values in [start, end), by time."""
        return self.of_queues([queue], metric, step_seconds, start, end).get(queue, [])

    def of_queues(
        self, queues: Collection[str], metric: str, step_seconds: int, start: datetime, end: datetime
    ) -> dict[str, list[Point]]:
        """Queue → its actual values in [start, end), by time; a queue without any is left out."""
        where: Where = [
            OneOf("queue", tuple(queues)),
            Is("metric", metric),
            Is("period_seconds", step_seconds),
            Between("timestamp", start, end),
        ]
        values = self.records.find(ACTUALS, where)
        return {
            queue: [Point(timestamp=actual.timestamp, value=actual.value) for actual in of_queue]
            for queue, of_queue in groupby(values, attrgetter("queue"))
        }
