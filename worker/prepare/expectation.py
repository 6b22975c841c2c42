"""What would have been expected at a step, from ordinary steps at the same time of other days around it.

    days      −14 … −7 … −3 −2 −1  ·  +1 +2 +3 … +7 … +14
    by day                ▪  ▪  ▪     ▪  ▪  ▪                  the three days on either side
    by kind            ▪  ▪  ▪  ▪     ▪  ▪  ▪  ▪               likewise a week, of them working days or weekends alone
    by week    ▪       ▪                       ▪       ▪       the same day of the two weeks on either side

Of these ways the one is taken that tells the ordinary steps themselves best.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.timegrid import SECONDS_PER_DAY
from worker.prepare.calendar import on_weekend

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]

NEAR = (-3, -2, -1, 1, 2, 3)
WEEK = (-7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7)
WEEKS = (-14, -7, 7, 14)
MIN_TOLD = 0.5  # of the ordinary steps, that a way must tell anything of to be chosen
MARGIN = 0.9  # a way with fewer days to its name must be so much better than the one before


def expected_values(values: FloatArray, is_ordinary: Mask, times: pd.DatetimeIndex, step_seconds: int) -> FloatArray:
    """What would be expected at each step, ordinary ones too; NaN where no other day tells anything.

    Args:
        values: shape (n,), NaN where there is none.
        is_ordinary: the steps that tell of others.
        times: starts of the steps on the wall clock.
        step_seconds: a step that does not divide the day knows no same time of other days.
    """
    per_day, rest = divmod(SECONDS_PER_DAY, step_seconds)
    if not per_day or rest:
        return np.full(len(values), np.nan)
    told = np.where(is_ordinary, values, np.nan)
    ways = [_mean(told, per_day, NEAR), _mean(told, per_day, WEEK, on_weekend(times)), _mean(told, per_day, WEEKS)]
    best = _best(ways, told)
    for way in (ways[best], ways[1], ways[0], ways[2]):
        ways[best] = np.where(np.isnan(ways[best]), way, ways[best])
    return ways[best]


def _mean(values: FloatArray, per_day: int, days: Sequence[int], group: Mask | None = None) -> FloatArray:
    """Of the values so many days before and after each step, those of its own group alone where there are groups."""
    others = []
    for day in days:
        other = _moved(values, day * per_day)
        if group is not None:
            other = np.where(_moved(group.astype(np.float64), day * per_day) == group, other, np.nan)
        others.append(other)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a step that no day tells anything of
        mean: FloatArray = np.nanmean(np.stack(others), axis=0)
    return mean


def _moved(values: FloatArray, steps: int) -> FloatArray:
    """The value so many steps later at each step; NaN where there is none."""
    moved = np.full(len(values), np.nan)
    if abs(steps) < len(values):
        moved[max(0, -steps) : len(values) - max(0, steps)] = values[max(0, steps) : len(values) + min(0, steps)]
    return moved


def _best(ways: Sequence[FloatArray], told: FloatArray) -> int:
    best, least = 0, np.inf
    for index, way in enumerate(ways):
        errors = np.abs(way - told)[np.isfinite(told)]
        if len(errors) and np.isfinite(errors).mean() >= MIN_TOLD and (error := float(np.nanmean(errors))) < MARGIN * least:
            best, least = index, error
    return best
