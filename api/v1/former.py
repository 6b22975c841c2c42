"""The series that a renamed queue had before, whose past goes on in that of now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from api.edge.context import Services
from shared.connections.yarn import may_know
from shared.domain.forecasts import Forecast
from shared.domain.reports import Issue, Point


def series_ids(services: Services, forecast: Forecast) -> list[str]:
    """Of the forecast's series, and of the same under each former name of its queue, the last name first."""
    is_ours = may_know(services.settings.all_connections.values(), forecast.cluster, forecast.project)
    former = services.store.aliases.former(forecast.cluster, forecast.queue) if is_ours else ()
    names = [forecast.queue, *(alias.old for alias in former)]
    return [replace(forecast.series, queue=name).series_id for name in names]


def actuals_of(services: Services, forecast: Forecast, start: datetime, end: datetime) -> list[Point]:
    """Actual values in [start, end), by time; of the same time those of the later name."""
    ids = series_ids(services, forecast)
    found = services.store.actuals.of_series(ids, start, end)
    by_time = {point.timestamp: point for series_id in reversed(ids) for point in found.get(series_id, ())}
    return [by_time[at] for at in sorted(by_time)]


def issues_of(services: Services, forecast: Forecast, limit: int) -> list[Issue]:
    """The forecasts that are like this one, newest first, those under former names too."""
    every = [
        issue
        for series_id in series_ids(services, forecast)
        for issue in services.store.forecasts.issues(series_id, job=forecast.job, limit=limit)
    ]
    return sorted(every, key=lambda issue: (issue.issued_at, issue.created_at), reverse=True)[:limit]
