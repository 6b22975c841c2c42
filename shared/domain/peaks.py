"""The peak of a forecast: of the next day, and of each day ahead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isclose

from shared.domain.distribution import bounds_of
from shared.domain.exceedance import steps_over
from shared.domain.forecasts import Forecast
from shared.domain.timegrid import steps_per_day

MEDIAN = 0.5
HELD = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The highest value of a day, whichever step it falls on, with its bounds; and the step that is likely to be the highest.

    Forecasts of earlier releases know the highest step only: the value and the bounds are those of that step.

    start_at, end_at: the day, 24 hours (or a step of days) from the first step still ahead, or from the end of the day before.
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
    held: float | None = None  # nine times in ten it is no more than that; None for forecasts of earlier releases


def daily_peaks(forecast: Forecast, now: datetime) -> tuple[Peak, ...]:
    """The peak of each day ahead, that of the next 24 hours first; of a forecast that is over those of its own days."""
    return tuple(_by_day(forecast, now))


def next_peak(forecast: Forecast, now: datetime) -> Peak:
    """The peak of the next 24 hours."""
    return next(_by_day(forecast, now))


def _by_day(forecast: Forecast, now: datetime) -> Iterator[Peak]:
    first, steps = steps_over(forecast, now), forecast.horizon_steps
    size = steps_per_day(forecast.step_seconds)
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
    prediction, lower, upper = _values(forecast, start, end, highest, [highest] if is_told else [*day])
    return Peak(
        start_at=forecast.start_of(start + 1),
        end_at=forecast.start_of(end + 1),
        step=highest + 1 if is_told else None,
        timestamp=forecast.start_of(highest + 1) if is_told else None,
        prediction=prediction,
        lower_bound=lower,
        upper_bound=upper,
        held=_maximum(forecast, start, end, HELD, forecast.quantiles.at(HELD)) if forecast.peaks and forecast.quantiles else None,
    )


def _values(forecast: Forecast, start: int, end: int, highest: int, shown: Sequence[int]) -> tuple[float, float, float]:
    """Middle and bounds of the maximum of these steps; of a forecast without peaks those of the highest step.

    The days of the forecast's peaks begin with its issue. One whose highest step lies outside tells nothing of the steps of
    it that are inside, for which their own quantiles stand.
    """
    if not forecast.peaks:
        lower, upper = (min(forecast.lower_bound[step] for step in shown), max(forecast.upper_bound[step] for step in shown))
        return forecast.prediction[highest], lower, upper
    low, high = bounds_of(forecast.interval)
    return (
        _maximum(forecast, start, end, MEDIAN, forecast.prediction),
        _maximum(forecast, start, end, low, forecast.lower_bound),
        _maximum(forecast, start, end, high, forecast.upper_bound),
    )


def _maximum(forecast: Forecast, start: int, end: int, level: float, steps: Sequence[float]) -> float:
    """Of the steps with these indices, at this level."""
    size, peaks = steps_per_day(forecast.step_seconds), forecast.peaks.at(level)
    found = []
    for day in range(start // size, (end - 1) // size + 1):
        whole = range(day * size, min((day + 1) * size, forecast.horizon_steps))
        inside = range(max(start, whole.start), min(end, whole.stop))
        is_inside = max(whole, key=steps.__getitem__) in inside
        found.append(peaks[day] if is_inside else max(steps[step] for step in inside))
    return max(found)
