"""How good the distribution of forecasts was: CRPS, coverage by lead time, and the highest values of days."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import isnan
from statistics import mean, median

from shared.domain.timegrid import lead_groups
from tests.bench.spread import Figure, Tasks
from worker.backtest.summary import overall_summary, queue_summary

GROUPS = {0: "to 6 h", 1: "to 24 h", 2: "day 2", 3: "day 3"}  # of lead times


def crps_ratio(tasks: Tasks) -> float | None:
    """Geometric mean over tasks of CRPS ÷ MAE of the seasonal naive."""
    return overall_summary([queue_summary([task]) for task in tasks]).crps_ratio


def covered(tasks: Tasks, place: int) -> float | None:
    """Per cent of the values of this group of lead times that lie between the bounds."""
    found: list[bool] = []
    for task in tasks:
        groups = lead_groups(task.forecast.step_seconds, task.forecast.horizon_steps)
        first, last = groups[place] if place < len(groups) else (1, 0)
        steps = zip(task.actual.tolist(), task.forecast.lower_bound, task.forecast.upper_bound, strict=True)
        found += [low <= value <= high for value, low, high in list(steps)[first - 1 : last] if not isnan(value)]
    return 100 * mean(found) if found else None


def days_of(tasks: Tasks) -> list[tuple[float, float, float, float]]:
    """Of each whole day: its highest value, that of the naive, and the median and the 90 % quantile of its forecast."""
    days = []
    for task in tasks:
        middle, high = (task.forecast.peaks.at(level) for level in (0.5, 0.9))
        for day in range(len(task.actual) // 24):
            hours = slice(24 * day, 24 * (day + 1))
            days.append((float(task.actual[hours].max()), float(task.reference[hours].max()), middle[day], high[day]))
    return [day for day in days if not any(map(isnan, day))]


def peak_error(tasks: Tasks) -> float | None:
    """Median relative error of the days' highest values ÷ that of the naive's."""
    days = [day for day in days_of(tasks) if day[0] > 0]
    ours, naive = (median([abs(day[at] / day[0] - 1) for day in days]) if days else 0.0 for at in (2, 1))
    return ours / naive if naive else None


def peaks_too_low(tasks: Tasks) -> float | None:
    """Per cent of the days whose highest value was above the median forecast of it."""
    days = days_of(tasks)
    return 100 * mean([top > middle for top, _, middle, _ in days]) if days else None


def peaks_held(tasks: Tasks) -> float | None:
    """Per cent of the days whose highest value was not above the 90 % quantile of it."""
    days = days_of(tasks)
    return 100 * mean([top <= high for top, _, _, high in days]) if days else None


OF_STEPS: Mapping[str, Figure] = {
    "CRPS ÷ naive": crps_ratio,
    **{f"covered {hours}": partial(covered, place=place) for place, hours in GROUPS.items()},
}
OF_PEAKS: Mapping[str, Figure] = {"error ÷ naive": peak_error, "too low %": peaks_too_low, "90 % held": peaks_held}
