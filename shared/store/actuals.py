"""Actual values: what was read of a series, by step; and which series there are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from shared.domain.reports import Actual, Point
from shared.domain.series import Series
from shared.store.records import Between, Is, OneOf, Records, Where, of_key
from shared.store.tables import SERIES_COLUMNS, Column, Kept, Kind, Table

SERIES = Table(
    name="series",
    value=Series,
    columns=SERIES_COLUMNS,
    key=("series_id",),
)
ACTUALS = Table(
    name="actuals",
    value=Actual,
    columns=(Column("series_id"), Column("timestamp", Kind.GRID), Column("value", Kind.REAL)),
    key=("series_id", "timestamp"),
    has_document=False,
    kept=Kept(by="timestamp", setting="keep_actuals", each=("series_id",)),
)


@dataclass(frozen=True, slots=True)
class Actuals:
    """Actual values by series and timestamp."""

    records: Records

    def save(self, series: Series, points: Sequence[Point]) -> None:
        """Keep what was read; the same step again replaces the value. Gaps are not kept.

        A job reads weeks of which all but its newest steps are kept already: only what is new or has changed is written.
        """
        series_id, known = series.series_id, dict[datetime, float]()
        read = {point.timestamp: point.value for point in points if point.value is not None}
        if read:
            kept = self.get(series_id, min(read), max(read) + timedelta(seconds=1))
            known = {point.timestamp: point.value for point in kept if point.value is not None}
        changed = [at for at, value in read.items() if known.get(at) != value]
        if series not in self.records.find(SERIES, of_key(SERIES, [series_id])):
            self.records.put_many(SERIES, [series])
        self.records.put_many(ACTUALS, [Actual(series_id=series_id, timestamp=at, value=read[at]) for at in changed])

    def get(self, series_id: str, start: datetime, end: datetime) -> list[Point]:
        """Actual values in [start, end), by time."""
        return self.of_series([series_id], start, end).get(series_id, [])

    def first_at(self, series_id: str, since: datetime, before: datetime) -> datetime | None:
        """When the first step in [since, before) begins whose value is known; None = there is none."""
        where: Where = [Is("series_id", series_id), Between("timestamp", since, before)]
        first = self.records.first(ACTUALS, where, order=(("timestamp", True),))
        return None if first is None else first.timestamp

    def last_at(self, series_id: str, before: datetime) -> datetime | None:
        """When the last step before this moment begins whose value is known; None = there is none."""
        where: Where = [Is("series_id", series_id), Between("timestamp", None, before)]
        last = self.records.first(ACTUALS, where, order=(("timestamp", False),))
        return None if last is None else last.timestamp

    def of_series(self, series_ids: Collection[str], start: datetime, end: datetime) -> dict[str, list[Point]]:
        """Id of a series → its actual values in [start, end), by time; a series without any is left out."""
        where: Where = [OneOf("series_id", tuple(series_ids)), Between("timestamp", start, end)]
        return {
            series_id: [Point(timestamp=actual.timestamp, value=actual.value) for actual in of_series]
            for series_id, of_series in groupby(self.records.find(ACTUALS, where), attrgetter("series_id"))
        }
