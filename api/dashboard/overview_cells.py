"""What a line of the overview tells beside what all queues are sorted by: read for the queues of one page alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.dashboard.bars import Bar, bar_of
from api.dashboard.off_by import OffBy, off_by_of
from api.dashboard.overview import Row
from api.dashboard.queue_owners import owners_by_name
from api.dashboard.sparkline import Sparkline, sparkline
from api.dashboard.words import lasting
from api.edge.context import Services
from shared.domain.reports import Point

SHOWN_STEPS = 48  # of the actual values before a forecast, at most as many as it looks ahead
TOLD_APART = ("cluster", "project", "metric", "where", "step_seconds", "aggregation", "job")  # two forecasts of one name
DAY = timedelta(days=1)  # an actual value that is older says nothing of now, unless its steps are that long
TOGETHER = 500  # series whose actual values are asked for at once
FRESH_STEPS = 3  # since one of them began: the last whole step, and time to read it

Differing = AbstractSet[str]  # names of fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """The newest actual value, in the unit of the forecast; at = start of its step, is_old: newer ones should be there."""

    value: float
    at: datetime
    is_old: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row with all that is told of it.

    bar: None = nothing is known that could be drawn. apart: in what it differs from others.
    """

    row: Row
    spark: Sparkline
    use: Use | None
    bar: Bar | None
    off_by: OffBy | None
    owners: str
    apart: tuple[str, ...]


def differing(rows: Sequence[Row]) -> Differing:
    """In which fields the forecasts of all rows differ: only these are told of each."""
    return {name for name in TOLD_APART if len({getattr(row.forecast, name) for row in rows}) > 1}


def lines_of(services: Services, rows: Sequence[Row], several: Differing, now: datetime) -> list[Line]:
    """One for each row."""
    off_by = off_by_of(services, (row.forecast for row in rows), now)
    past, owners = _past(services, rows), owners_by_name(services)
    ids = [row.forecast.series_id for row in rows]
    return [
        _line(row, past.get(series_id, []), off_by.get(series_id), owners(row.forecast), _apart(row, several))
        for row, series_id in zip(rows, ids, strict=True)
    ]


def _apart(row: Row, several: Differing) -> tuple[str, ...]:
    forecast = row.forecast
    is_resampled = not several.isdisjoint({"step_seconds", "aggregation"})
    told = {
        "cluster": forecast.cluster,
        "project": forecast.project or "no project",
        "metric": forecast.metric,
        "where": forecast.where,
        "job": forecast.job,
    }
    resampled = [f"{forecast.aggregation.value} of {lasting(1, forecast.step_seconds)}"] if is_resampled else []
    return (*(text for name, text in told.items() if text and name in several), *resampled)


def _line(row: Row, past: Sequence[Point], off_by: OffBy | None, owners: str, apart: tuple[str, ...]) -> Line:
    start, use, forecast = _start(row), use_of(row, past), row.forecast
    used, ahead = use.value if use else 0.0, row.peak.prediction if row.peak else 0.0
    shown = [point for point in past if point.timestamp >= start]
    return Line(
        row=row,
        spark=sparkline(forecast, shown, start),
        use=use,
        bar=bar_of(used, ahead, forecast.guaranteed, forecast.maximum) if use or row.peak else None,
        off_by=off_by,
        owners=owners,
        apart=apart,
    )


def use_of(row: Row, past: Sequence[Point]) -> Use | None:
    """What the queue used last; None = nothing is known of the last day, or of the last steps where these are longer."""
    step = timedelta(seconds=row.forecast.step_seconds)
    newest = next((point for point in reversed(past) if point.value is not None), None)
    if newest is None or newest.value is None or row.now - newest.timestamp > max(DAY, FRESH_STEPS * step):
        return None
    return Use(value=newest.value, at=newest.timestamp, is_old=row.now - newest.timestamp > FRESH_STEPS * step)


def uses_of(services: Services, rows: Sequence[Row], now: datetime) -> dict[str, Use]:
    """Id of a series → what its queue used last, of any number of rows: only what may be that is read."""
    past: dict[str, list[Point]] = {}
    for seconds, group in _alike(rows).items():
        start = max(min(row.forecast.issued_at for row in group), now - DAY) - FRESH_STEPS * timedelta(seconds=seconds)
        ids = [*{row.forecast.series_id for row in group}]
        for first in range(0, len(ids), TOGETHER):
            past |= services.store.actuals.of_series(ids[first : first + TOGETHER], start, now)
    found = {row.forecast.series_id: use_of(row, past.get(row.forecast.series_id, [])) for row in rows}
    return {series_id: use for series_id, use in found.items() if use}


def _alike(rows: Iterable[Row]) -> Mapping[int, list[Row]]:
    """By the length of their steps."""
    alike: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        alike[row.forecast.step_seconds].append(row)
    return alike


def _past(services: Services, rows: Iterable[Row]) -> dict[str, list[Point]]:
    """Id of a series → its actual values since the first that is drawn; those of all rows with one step are read at once."""
    found: dict[str, list[Point]] = {}
    for group in _alike(rows).values():
        series, start = {row.forecast.series_id for row in group}, min(map(_start, group))
        found |= services.store.actuals.of_series(series, start, max(row.forecast.end_at for row in group))
    return found


def _start(row: Row) -> datetime:
    steps = min(SHOWN_STEPS, row.forecast.horizon_steps)
    return row.forecast.start_of(1 - steps)
