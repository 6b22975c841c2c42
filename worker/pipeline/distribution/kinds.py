"""Which earlier days tell of a day ahead: where weekends are unlike other days, those of its own kind.

    Mo ▇  Tu ▇  We ▇  Th ▇  Fr ▇  Sa ▂  Su ▂  │  Mo: ▇ ▇ ▇ ▇ ▇   ·   Sa: ▂ ▂

A queue whose weekends are as other days learns from all of them, and so does a kind of day of which too few are known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.models.base import FloatArray
from worker.prepare.calendar import Dates
from worker.prepare.ranked import median_of

DAYS = 28  # before that tell whether weekends are unlike other days
FEWEST = 2  # days of a kind; of fewer all days tell
FEWEST_OTHERS = 3
ORDERED = 0.9  # of the pairs of a weekend's day and another, in which the same kind is the higher one
APART = 0.1  # of the higher median, between the medians of both
SAME = 0.9  # of the steps of two days, for these to be of one kind: a day may begin an hour after midnight

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """Of each step of the history and after it, on the wall clock, whether it is of a weekend; nowhere, where these are alike.

    length: of the history, in steps. season: steps of a day.
    """

    is_weekend: BoolArray
    length: int
    season: int

    @property
    def differ(self) -> bool:
        """Whether there are two kinds of days."""
        return bool(self.is_weekend.any())

    def at(self, places: NDArray[np.int_]) -> BoolArray:
        """Of steps, counted from the end of the history."""
        return self.is_weekend[np.clip(self.length + places, 0, len(self.is_weekend) - 1)]

    def alike(self, place: int, others: NDArray[np.int_], steps: int) -> BoolArray:
        """Which of these stretches of so many steps are of the kind of the one at this place; shape (others,)."""
        if not self.differ:
            return np.ones(len(others), dtype=np.bool_)
        along = np.arange(steps)
        same = (self.at(others[:, np.newaxis] + along) == self.at(place + along)).mean(axis=1) >= SAME
        known: BoolArray = same & (self.length + others >= 0)
        return known


def kinds_of(values: FloatArray, dates: Dates, season: int) -> Kinds:
    """Kinds of days of a history, NaN = unknown.

    Args:
        dates: of the steps of the history and after it.
    """
    weekend = dates.is_weekend
    known = slice(max(0, len(values) - DAYS * season), len(values))
    rows = values[known]
    _, first, day = np.unique(dates.day[known], return_index=True, return_inverse=True)
    whole = np.bincount(day, weights=np.isfinite(rows)) == season
    means = np.bincount(day, weights=rows)[whole] / season
    maxima = np.maximum.reduceat(rows, first)[whole] if len(rows) else rows
    is_weekend = weekend[known][first][whole]
    differ = any(_apart(each[is_weekend], each[~is_weekend]) for each in (means, maxima))
    return Kinds(is_weekend=weekend & differ, length=len(values), season=season)


def too_few(alike: BoolArray, known: BoolArray) -> BoolArray:
    """For which columns of days fewer than two of their own kind are known, so that all must tell; shape (columns,)."""
    few: BoolArray = (alike & known).sum(axis=0) < FEWEST
    return few


def _apart(weekends: FloatArray, others: FloatArray) -> bool:
    if len(weekends) < FEWEST or len(others) < FEWEST_OTHERS:
        return False
    above = float((weekends[:, np.newaxis] > others).mean())
    middles = median_of(weekends), median_of(others)
    is_far = abs(middles[0] - middles[1]) > APART * max(map(abs, middles))
    return bool(is_far and max(above, 1 - above) >= ORDERED)
