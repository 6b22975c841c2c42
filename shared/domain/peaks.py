"""The peak of a forecast: of the next day, and of each day ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import isclose

from shared.domain.exceedance import steps_over
from shared.domain.forecasts import Forecast
from shared.domain.timegrid import SECONDS_PER_DAY, step_start


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The highest step of a day. Its bounds are those of that step, not of the day's highest value, which may fall elsewhere.

    start_at, end_at: the day, 24 hours (or one longer step) from the first step still ahead, or from the end of the day before.
    step, timestamp: None = a flat line, where no step is higher than another, or hours of which none was ever measured; the
        bounds are then the widest of the day.
    """

    start_at: datetime
    end_at: datetime
    step: int | None
    timestamp: datetime | None
    prediction: float
    lower_bound: float
    upper_bound: float


def daily_peaks(forecast: Forecast, now: datetime) -> tuple[Peak, ...]:
    """The peak of each day ahead, that of the next 24 hours first; of a forecast that is over those of its own days."""
    return tuple(_by_day(forecast, now))


def next_peak(forecast: Forecast, now: datetime) -> Peak:
    """The peak of the next 24 hours."""
    return next(_by_day(forecast, now))


def _by_day(forecast: Forecast, now: datetime) -> Iterator[Peak]:
    first, steps = steps_over(forecast, now), forecast.horizon_steps
    size = max(1, SECONDS_PER_DAY // forecast.step_seconds)
    for start in range(first if first < steps else 0, steps, size):
        yield _peak(forecast, start, min(steps, start + size))


def _peak(forecast: Forecast, start: int, end: int) -> Peak:
    """Of the steps with these indices; of equal ones the one that may be the highest, then the first.

    Hours that were never measured count only where the day has no others, and none of them is named.
    """
    measured = [step for step in range(start, end) if step + 1 not in forecast.made_up]
    day = measured or range(start, end)
    highest = max(day, key=lambda step: (forecast.prediction[step], forecast.upper_bound[step]))
    lowest = min(forecast.prediction[step] for step in day)
    is_flat = len(day) > 1 and isclose(lowest, forecast.prediction[highest], rel_tol=1e-9, abs_tol=1e-12)
    is_told = measured and not is_flat
    shown = [highest] if is_told else day
    return Peak(
        start_at=_start(forecast, start),
        end_at=_start(forecast, end),
        step=highest + 1 if is_told else None,
        timestamp=_start(forecast, highest) if is_told else None,
        prediction=forecast.prediction[highest],
        lower_bound=min(forecast.lower_bound[step] for step in shown),
        upper_bound=max(forecast.upper_bound[step] for step in shown),
    )


def _start(forecast: Forecast, step: int) -> datetime:
    return step_start(forecast.issued_at, step + 1, forecast.step_seconds)
