"""Issued forecasts against what happened since, by lead time.

      the day before         issued_at      known until
            │                    │               │
────────────┼────────────────────┼───────────────┼──────────▶ time
            ╰── seasonal naive ──┤ 1…6 │ 7…24 │ 25…48 │      leads; a step without an actual value is not scored

Leads are groups of lead times, the same in which quantiles are made (quantiles.py), so that coverage by lead tells whether those
widths are right: up to 6 hours, the rest of the first day, the second and the third day, and what follows. The day before is one
on the wall of the request's time zone, as in the backtest: where clocks are changed, the same hour is not 24 hours away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from shared.domain.accuracy import ZERO, Accuracy, ErrorSums
from shared.domain.forecasts import Forecast
from shared.domain.occasions import Excluded
from shared.domain.reports import Point
from shared.domain.timegrid import from_epoch, lead_groups, steps_per_day, to_epoch
from worker.models.base import FloatArray
from worker.prepare.occasions import excluded_steps
from worker.prepare.wall_clock import wall_clock

DAYS_BEFORE = 2  # what the reference is made from: a reading that the change of clocks skips is repeated from the day before it
OF_FORECAST = ("series_id", "job", "issued_at", "created_at", "job_id", "model", "interval")


Actuals = Mapping[int, float]  # start of a step in epoch seconds → actual value; a gap has no entry


def actuals_of(points: Sequence[Point]) -> Actuals:
    """The actual values among these points of one series."""
    return {to_epoch(point.timestamp): point.value for point in points if point.value is not None}


def score_forecast(forecast: Forecast, actuals: Actuals, exclude: Sequence[Excluded] = ()) -> list[Accuracy]:
    """One record per lead that has begun; all of them are final once nothing more will be known of any step.

    That is so when the last step has its value, or newer ones than that are known: a gap before them stays one.

    Args:
        actuals: at least one, of the forecast's series.
        exclude: times known to be bad: nothing is scored on them, and they are no day before.
    """
    known_until = forecast.grid.step_start(from_epoch(max(actuals)), 2)
    before = DAYS_BEFORE * steps_per_day(forecast.step_seconds)
    times = pd.to_datetime([*map(forecast.start_of, range(1 - before, 1)), *forecast.timestamps], utc=True)
    values = np.array([actuals.get(to_epoch(time), np.nan) for time in times.to_pydatetime()])
    values[excluded_steps(times, forecast.grid, exclude)] = np.nan
    reference = _day_before(forecast, times, values[:before])
    table = np.array([values[before:], reference, forecast.prediction, forecast.lower_bound, forecast.upper_bound])
    groups = lead_groups(forecast.step_seconds, forecast.horizon_steps)
    same = {name: getattr(forecast, name) for name in OF_FORECAST}
    is_final = forecast.end_at <= known_until
    return [
        Accuracy(**same, first_step=first, is_final=is_final, sums=_sums(table[:, first - 1 : last]))
        for first, last in groups
        if forecast.start_of(first) < known_until
    ]


def reference_start(forecast: Forecast) -> datetime:
    """Since when actual values count for the reference."""
    return forecast.start_of(1 - DAYS_BEFORE * steps_per_day(forecast.step_seconds))


def _day_before(forecast: Forecast, times: pd.DatetimeIndex, values: FloatArray) -> FloatArray:
    """The same hour of the day before the issue, for each step of the forecast; NaN where there is no value."""
    clock, season = wall_clock(times, forecast.timezone, forecast.step_seconds), steps_per_day(forecast.step_seconds)
    shown = clock.on_the_wall(pd.DataFrame({"value": values}))["value"].to_numpy()
    places = clock.places[len(values) :] - len(shown)
    repeated: FloatArray = shown[np.where(places < 0, places, places % season - season)]
    return repeated


def _sums(table: FloatArray) -> ErrorSums:
    """The sums of one lead; the rows of the table are actual, reference, prediction, lower and upper bound."""
    actual, reference, prediction, lower, upper = table[:, np.isfinite(table[0])]
    error, size = np.abs(prediction - actual), np.abs(actual)
    is_compared, is_relative = np.isfinite(reference), size > ZERO
    return ErrorSums(
        forecasts=int(len(actual) > 0),
        steps=len(actual),
        error=float(error.sum()),
        size=float(size.sum()),
        surplus=float((prediction - actual).sum()),
        relative_steps=int(is_relative.sum()),
        relative_error=float((100 * error[is_relative] / size[is_relative]).sum()),
        bounded_steps=len(actual),
        covered_steps=int(((lower <= actual) & (actual <= upper)).sum()),
        compared_steps=int(is_compared.sum()),
        compared_error=float(error[is_compared].sum()),
        compared_size=float(size[is_compared].sum()),
        naive_error=float(np.abs(actual - reference)[is_compared].sum()),
    )
