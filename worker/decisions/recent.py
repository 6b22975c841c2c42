"""The last days of a queue as they were, which decisions count beside what is forecast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from shared.domain.exceedance import steps_over
from shared.domain.forecasts import Forecast
from shared.domain.reports import Point
from worker.models.base import FloatArray

WEEK = 7  # days
AS_IT_WAS = "was"  # what the names of such days begin with; those of blocks that paths are drawn from never do


def day_name(at: datetime) -> str:
    """Of a day as it was, by the moment at which its window begins: the same for all queues.

    >>> day_name(datetime(2026, 1, 5, tzinfo=UTC))
    'was 2026-01-05T00:00'
    """
    return f"{AS_IT_WAS} {at.astimezone(UTC):%Y-%m-%dT%H:%M}"


def is_day(name: str) -> bool:
    """Whether it is the name of a day as it was, and not of a block that paths are drawn from."""
    return name.startswith(f"{AS_IT_WAS} ")


def last_week(past: FloatArray, steps: int, steps_per_day: int, *, ahead: int = 0) -> FloatArray:
    """The last seven windows of so many steps at the same time of day, as they were, newest first: shape (windows, steps).

    Windows that are not known whole, or not over yet, are left out.

    Args:
        past: up to now, NaN = not known. ahead: steps from its end to the first of the window that is decided on.
    """
    whole = [window for _, window in days_before(past, steps, steps_per_day, ahead=ahead)]
    return np.array(whole) if whole else np.empty((0, steps))


def days_before(past: FloatArray, steps: int, steps_per_day: int, *, ahead: int = 0) -> Iterator[tuple[int, FloatArray]]:
    """The same windows, each after how many days back it is."""
    length = len(past)
    soonest = -(-(steps + ahead) // steps_per_day)  # days back, so that it is over
    for back in range(max(1, soonest), max(1, soonest) + WEEK):
        start = length + ahead - steps_per_day * back
        if start >= 0 and np.isfinite(window := past[start : start + steps]).all():
            yield back, window


def known_until(forecast: Forecast, points: Sequence[Point], now: datetime) -> FloatArray:
    """The values before the first step ahead, in the steps of the forecast, NaN = not known; what comes later is left out.

    Args:
        points: of the forecast's series, oldest first.
    """
    end_at = forecast.start_of(steps_over(forecast, now) + 1)
    if not points or points[0].timestamp >= end_at:
        return np.empty(0)
    first_at = points[0].timestamp
    values = np.full(forecast.grid.steps_between(first_at, end_at), np.nan)
    for point in points:
        if point.value is not None and point.timestamp < end_at:
            values[forecast.grid.steps_between(first_at, point.timestamp)] = point.value
    return values
