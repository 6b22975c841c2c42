"""Issued forecasts against what happened since, by lead time.

      the day before         issued_at      known until
            │                    │               │
────────────┼────────────────────┼───────────────┼──────────▶ time
            ╰── seasonal naive ──┤ 1…6 │ 7…24 │ 25…48 │      leads; a step without an actual value is not scored

Leads are groups of steps, the same in which intervals are made (intervals.py): coverage by lead tells whether those widths are
right, and with hourly steps they are 6 hours, the rest of the first day, the second and the third day, and what follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np

from shared.domain.accuracy import FIRST_STEPS, ZERO, Accuracy, ErrorSums
from shared.domain.forecasts import Forecast
from shared.domain.reports import Point
from shared.domain.timegrid import step_start, to_epoch
from worker.models.base import SECONDS_PER_DAY, FloatArray

OF_FORECAST = ("queue", "metric", "job", "issued_at", "created_at", "job_id", "model", "step_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuals:
    """A regular series of actual values, from its first value to its last.

    values: shape (n,), NaN = gap; at least one value.
    """

    start_at: datetime
    step_seconds: int
    values: FloatArray

    @property
    def end_at(self) -> datetime:
        """End of the last step with a value, UTC: until then everything is known that will ever be."""
        return step_start(self.start_at, len(self.values) + 1, self.step_seconds)

    def part(self, at: datetime, steps: int) -> FloatArray:
        """Shape (steps,), beginning with the step that starts at `at`; NaN outside of the series."""
        first = (to_epoch(at) - to_epoch(self.start_at)) // self.step_seconds
        places = np.arange(first, first + steps)
        is_inside = (places >= 0) & (places < len(self.values))
        values: FloatArray = np.where(is_inside, self.values[np.where(is_inside, places, 0)], np.nan)
        return values


def actuals_of(points: Sequence[Point], step_seconds: int) -> Actuals | None:
    """The series of these points, which are in order of time and on one grid; None without any value."""
    known = [(to_epoch(point.timestamp), point.value) for point in points if point.value is not None]
    if not known:
        return None
    first = known[0][0]
    values = np.full((known[-1][0] - first) // step_seconds + 1, np.nan)
    values[[(at - first) // step_seconds for at, _ in known]] = [value for _, value in known]
    return Actuals(start_at=points[0].timestamp, step_seconds=step_seconds, values=values)


def score_forecast(forecast: Forecast, actuals: Actuals) -> list[Accuracy]:
    """One record per lead that has begun; all of them are final once nothing more will be known of any step.

    That is so when the last step has its value, or newer ones than that are known: a gap before them stays one.
    """
    ends_at = step_start(forecast.issued_at, forecast.horizon_steps + 1, forecast.step_seconds)
    is_final = ends_at <= actuals.end_at
    actual = actuals.part(forecast.issued_at, forecast.horizon_steps)
    reference = _reference_forecast(actuals, forecast)
    columns = (np.asarray(column) for column in (forecast.prediction, forecast.lower_bound, forecast.upper_bound))
    table = np.stack([actual, reference, *columns])
    known = partial(step_start, forecast.issued_at, step_seconds=forecast.step_seconds)
    begun = [first for first in FIRST_STEPS if first <= forecast.horizon_steps and known(first) < actuals.end_at]
    same = {name: getattr(forecast, name) for name in OF_FORECAST}
    return [
        Accuracy(**same, first_step=first, is_final=is_final, sums=_sums(table[:, slice(*_places(first))])) for first in begun
    ]


def _reference_forecast(actuals: Actuals, forecast: Forecast) -> FloatArray:
    """The day before the issue time, over and over, as `skill` of the backtest compares with; shape (horizon,), NaN = gap."""
    season = max(1, round(SECONDS_PER_DAY / forecast.step_seconds))
    return np.resize(
        actuals.part(step_start(forecast.issued_at, 1 - season, forecast.step_seconds), season), forecast.horizon_steps
    )


def _places(first_step: int) -> tuple[int, int | None]:
    """Where a lead begins and ends in an array of steps."""
    later = [start - 1 for start in FIRST_STEPS if start > first_step]
    return first_step - 1, later[0] if later else None


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
        covered_steps=int(((lower <= actual) & (actual <= upper)).sum()),
        compared_steps=int(is_compared.sum()),
        compared_error=float(error[is_compared].sum()),
        compared_size=float(size[is_compared].sum()),
        naive_error=float(np.abs(actual - reference)[is_compared].sum()),
    )
