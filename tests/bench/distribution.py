"""How good the distribution of forecasts was: CRPS, coverage by lead time, and the highest values of days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from math import isnan
from statistics import mean, median
from typing import NamedTuple

from shared.domain.timegrid import lead_groups
from tests.bench.spread import Figure, Figures, geometric_mean
from worker.backtest.summary import CutoffResult, queue_summary

GROUPS = {0: "to 6 h", 1: "to 24 h", 2: "day 2", 3: "day 3"}  # of lead times


class Day(NamedTuple):
    """A whole day: its highest value, that of the naive, and the median and the 90 % quantile of its forecast."""

    top: float
    naive: float
    middle: float
    high: float


def held(place: int, task: CutoffResult) -> list[bool]:
    """Of each value of this group of lead times whether it lies between the bounds."""
    groups = lead_groups(task.forecast.step_seconds, task.forecast.horizon_steps)
    first, last = groups[place] if place < len(groups) else (1, 0)
    steps = zip(task.actual.tolist(), task.forecast.lower_bound, task.forecast.upper_bound, strict=True)
    return [low <= value <= high for value, low, high in list(steps)[first - 1 : last] if not isnan(value)]


def days_of(task: CutoffResult) -> list[Day]:
    """All that are known in full."""
    middle, high = (task.forecast.peaks.at(level) for level in (0.5, 0.9))
    days = []
    for day in range(len(task.actual) // 24):
        hours = slice(24 * day, 24 * (day + 1))
        days.append(Day(float(task.actual[hours].max()), float(task.reference[hours].max()), middle[day], high[day]))
    return [day for day in days if not any(map(isnan, day))]


def share_of(found: Sequence[list[bool]]) -> float | None:
    """Per cent."""
    every = [*chain(*found)]
    return 100 * mean(every) if every else None


def share_of_days(is_so: Callable[[Day], bool]) -> Figure[list[bool]]:
    """Per cent of the days of which this is so."""
    return Figure(lambda task: [is_so(day) for day in days_of(task)], share_of)


def peak_error(found: Sequence[list[Day]]) -> float | None:
    """Median relative error of the days' highest values ÷ that of the naive's."""
    days = [day for day in chain(*found) if day.top > 0]
    ours, naive = (median([abs(value / day.top - 1) for day, value in pairs]) if days else 0.0 for pairs in _forecasts(days))
    return ours / naive if naive else None


def _forecasts(days: Sequence[Day]) -> tuple[list[tuple[Day, float]], list[tuple[Day, float]]]:
    return [(day, day.middle) for day in days], [(day, day.naive) for day in days]


OF_STEPS: Figures = {
    "CRPS ÷ naive": Figure(lambda task: queue_summary([task]).crps_ratio, geometric_mean),
    **{f"covered {hours}": Figure(partial(held, place), share_of) for place, hours in GROUPS.items()},
}
OF_PEAKS: Figures = {
    "error ÷ naive": Figure(days_of, peak_error),
    "too low %": share_of_days(lambda day: day.top > day.middle),
    "90 % held": share_of_days(lambda day: day.top <= day.high),
}
