"""Issued forecasts against what happened since, by lead time.

      the day before         issued_at      known until
            │                    │               │
────────────┼────────────────────┼───────────────┼──────────▶ time
            ╰── seasonal naive ──┤ 1…6 │ 7…24 │ 25…48 │      leads; a step without an actual value is not scored

Leads are groups of lead times, the same in which quantiles are made (quantiles.py), so that coverage by lead tells whether those
widths are right: up to 6 hours, the rest of the first day, the second and the third day, and what follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shared.domain.accuracy import ZERO, Accuracy, ErrorSums
from shared.domain.forecasts import Forecast
from shared.domain.reports import Point
from shared.domain.timegrid import from_epoch, lead_groups, steps_per_day, to_epoch
from worker.models.base import FloatArray

OF_FORECAST = ("series_id", "job", "issued_at", "created_at", "job_id", "model", "interval")


Actuals = Mapping[int, float]  # start of a step in epoch seconds → actual value; a gap has no entry


def actuals_of(points: Sequence[Point]) -> Actuals:
    """The actual values among these points of one series."""
    return {to_epoch(point.timestamp): point.value for point in points if point.value is not None}


def score_forecast(forecast: Forecast, actuals: Actuals) -> list[Accuracy]:
    """One record per lead that has begun; all of them are final once nothing more will be known of any step.

    That is so when the last step has its value, or newer ones than that are known: a gap before them stays one.

    Args:
        actuals: at least one, of the forecast's series.
    """
    known_until = forecast.grid.step_start(from_epoch(max(actuals)), 2)
    actual = _part(actuals, forecast, 1, forecast.horizon_steps)
    season = steps_per_day(forecast.step_seconds)
    reference = np.resize(_part(actuals, forecast, 1 - season, season), forecast.horizon_steps)
    table = np.array([actual, reference, forecast.prediction, forecast.lower_bound, forecast.upper_bound])
    groups = lead_groups(forecast.step_seconds, forecast.horizon_steps)
    same = {name: getattr(forecast, name) for name in OF_FORECAST}
    is_final = forecast.end_at <= known_until
    return [
        Accuracy(**same, first_step=first, is_final=is_final, sums=_sums(table[:, first - 1 : last]))
        for first, last in groups
        if forecast.start_of(first) < known_until
    ]


def _part(actuals: Actuals, forecast: Forecast, first_step: int, count: int) -> FloatArray:
    """The actual values of `count` steps from this step of the forecast on (0 = the one before it), NaN where there is none."""
    starts = (forecast.start_of(first_step + index) for index in range(count))
    return np.array([actuals.get(to_epoch(start), np.nan) for start in starts])


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
