"""Queues: all that have a forecast, and the series of one as JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf

from flask import Response

from api.edge.context import Services
from api.edge.document import JSON, Answers
from api.edge.identity import caller
from api.edge.limits_now import LimitsNow, as_now
from api.edge.policy import READ
from api.edge.routing import route
from api.schema import answers, series
from api.schema.queries import MAX_POINTS, QueuesQuery, SeriesQuery
from api.v1.choice import chosen_forecast
from api.v1.clusters import changes_of, gone_of
from api.v1.former import actuals_of
from api.v1.hidden_names import without_hidden
from shared.domain.exceedance import PERCENT
from shared.domain.forecasts import Forecast
from shared.domain.relative import ACCEPTED, factor_of, in_percent_of_guaranteed, relative_of
from shared.domain.reports import Point, outlook
from shared.domain.units import Unit
from shared.errors import InvalidRequest

DEFAULT_PAST = timedelta(days=7)


@route("GET", "/v1/queues", READ, Answers(answers.QueueList))
def list_queues(services: Services, query: QueuesQuery) -> answers.QueueList:
    """List every queue that has a forecast, with its predicted peak."""
    forecasts = services.store.forecasts.newest_of_each(projects=caller().projects)
    if not query.hidden:
        forecasts = without_hidden(services, forecasts)
    now, failed = datetime.now(UTC), services.store.run_failures.since(forecasts)
    present = LimitsNow(services).of_all(forecasts)
    gone = gone_of(services, forecasts)
    shown = [
        outlook(forecast, now, failed.get((forecast.series_id, forecast.job)), gone.get((forecast.cluster, forecast.queue)))
        for forecast in present
    ]
    return answers.QueueList(queues=shown)


@route("GET", "/v1/queues/<path:queue>/series", READ, Answers(series.Series, media=(JSON, "text/csv"), refuses=(409,)))
def show_series(services: Services, queue: str, query: SeriesQuery) -> Response:
    """Show actual and predicted values of a queue on one time axis.

    Without `issued_at` the newest forecast is shown, and from a week before it to its end.
    """
    forecast = chosen_forecast(services, queue, query, query.issued_at)
    start, end = _part(query, forecast)
    actuals = actuals_of(services, forecast, start, end)
    forecast = services.store.forecasts.with_paths(forecast)
    failed = services.store.run_failures.after(forecast)
    forecast, now = as_now(services, forecast), datetime.now(UTC)
    relative = None if query.unit else relative_of(forecast, now)
    if query.unit:
        forecast, actuals = _in_percent(forecast, actuals)
    points = thinned(series_points(forecast, actuals, start, end), query.points)
    if query.format == "csv":
        return Response(
            _csv(points, forecast.quantiles.names),
            mimetype="text/csv",
            headers={"Content-Disposition": "attachment; filename=series.csv"},
        )
    changes = changes_of(services, forecast, start, end)
    told = series.Series.telling(forecast, now, query, points=points, last_failure=failed, configuration_changes=changes)
    gone = gone_of(services, [forecast]).get((forecast.cluster, forecast.queue))
    told = told.model_copy(update={"relative": relative, "gone": gone})
    return Response(told.model_dump_json(), mimetype=JSON)


def _in_percent(forecast: Forecast, actuals: Iterable[Point]) -> tuple[Forecast, list[Point]]:
    """Both in percent of what the queue is guaranteed now; raises InvalidRequest where that is not known."""
    told = in_percent_of_guaranteed(forecast)
    if told is None:
        raise InvalidRequest(ACCEPTED, field="unit")
    factor = factor_of(forecast) or (PERCENT if forecast.unit is Unit.FRACTION else 1.0)
    return told, [replace(point, value=None if point.value is None else factor * point.value) for point in actuals]


def series_points(forecast: Forecast, actuals: Iterable[Point], start: datetime, end: datetime) -> list[series.SeriesPoint]:
    """One point per step in [start, end), from the first step of which anything is known to the last; gaps are points too."""
    columns = {
        **{name: getattr(forecast, name) for name in ("prediction", "lower_bound", "upper_bound")},
        "quantiles": forecast.quantiles.by_step(forecast.horizon_steps),
        "components": forecast.components.by_step(forecast.prediction),
    }
    steps = zip(forecast.timestamps, *columns.values(), strict=True)
    predicted = {at: dict(zip(columns, values, strict=True)) for at, *values in steps if start <= at < end}
    actual = {point.timestamp: {"actual": point.value} for point in actuals}
    known = sorted({*predicted, *actual})
    if not known:
        return []
    axis = forecast.grid.step_starts(known[0], forecast.grid.steps_between(known[0], known[-1]) + 1)
    return [series.SeriesPoint(timestamp=at, **actual.get(at, {}), **predicted.get(at, {})) for at in axis]


def thinned(points: list[series.SeriesPoint], most: int | None) -> list[series.SeriesPoint]:
    """At most about `most` points: of neighbouring steps the one with the highest value, so that no peak is lost; None = all.

    A step without any value is kept where all its neighbours have none, so that a gap stays a gap. The steps from the first
    prediction on are thinned apart from those before, so that a long past takes no points from the forecast.
    """
    if most is None or len(points) <= most:
        return points
    first = next((index for index, point in enumerate(points) if point.prediction is not None), len(points))
    ahead = _highest(points[first:], most // 2)
    return _highest(points[:first], most - len(ahead)) + ahead


def _highest(points: Sequence[series.SeriesPoint], most: int) -> list[series.SeriesPoint]:
    size = -(-len(points) // most) or 1
    return [max(points[start : start + size], key=_height) for start in range(0, len(points), size)]


def _height(point: series.SeriesPoint) -> float:
    return max((value for value in (point.actual, point.prediction) if value is not None), default=-inf)


def _part(query: SeriesQuery, forecast: Forecast) -> tuple[datetime, datetime]:
    """Which part of the series to show, as [start, end)."""
    start = query.from_at or forecast.issued_at - DEFAULT_PAST
    end = query.to_at or forecast.end_at
    if start >= end:
        raise InvalidRequest(f"from {start.isoformat()} is not before to {end.isoformat()}", field="from")
    if forecast.grid.steps_between(start, end) > MAX_POINTS:
        raise InvalidRequest(f"more than {MAX_POINTS} steps lie between from and to; ask for a shorter part", field="from")
    return start, end


def _csv(points: Iterable[series.SeriesPoint], levels: Sequence[str]) -> str:
    text = io.StringIO()
    by_name = {"quantiles", "components"}
    columns = [name for name in series.SeriesPoint.model_fields if name not in by_name]
    writer = csv.DictWriter(text, [*columns, *levels])
    writer.writeheader()
    writer.writerows(point.model_dump(mode="json", exclude=by_name) | dict(point.quantiles or {}) for point in points)
    return text.getvalue()
