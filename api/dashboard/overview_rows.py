"""The rows of the overview, as they are read: every queue that the caller may see."""

from __future__ import annotations

from datetime import datetime

from api.dashboard.overview import Row, row_of
from api.edge.context import Services
from api.edge.identity import caller
from api.edge.limits_now import LimitsNow
from api.v1.hidden_names import without_hidden

BLANK = {"project"}  # fields of the address that mean something when they are empty: forecasts of no project


def rows_of(services: Services, now: datetime) -> list[Row]:
    """One for each series and name of a job, by queue."""
    forecasts = without_hidden(services, services.store.forecasts.newest_of_each(projects=caller().projects))
    forecasts = LimitsNow(services).of_all(forecasts)
    failed, levels = services.store.run_failures.since(forecasts), services.settings.mark_levels
    return [row_of(forecast, levels, now, failed.get((forecast.series_id, forecast.job))) for forecast in forecasts]
