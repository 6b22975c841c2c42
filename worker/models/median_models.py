"""Medians: plain arithmetic that one odd day or one burst does not move; slow to see a trend, and good company in a blend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from shared.domain.jobs import Grid
from shared.domain.timegrid import SECONDS_PER_DAY
from worker.models import models
from worker.models.base import Bounds, FloatArray, History, weighted_median
from worker.models.baseline_models import Days, NeedsDay, recent_days

SECONDS_PER_HOUR = 3_600
MAX_FADING_DAYS = 14  # two of each weekday; older days have next to no votes
DAYS_PER_WEEK = 7


@models.register("hour_median")
@dataclass(frozen=True, slots=True, kw_only=True)
class HourMedian(NeedsDay):
    """The median of the same time of day over the last `days` days, or over as many whole ones as there are."""

    days: Days = 7

    # One week and two, in the weighted blend (tuning half of tests/bench/forecast.py, WAPE of the seasonal naive's): 0.808 at 24
    # steps and 0.815 at 72; without the first 0.809 and 0.826, the second 0.797 and 0.826, both 0.818 and 0.839.
    grid: ClassVar[Grid] = {"days": (7, 14)}

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Step h is the median of the values whole days before it."""
        return np.resize(np.median(recent_days(history, self.days), axis=0), horizon)


@models.register("recent_median")
@dataclass(frozen=True, slots=True, kw_only=True)
class RecentMedian(NeedsDay):
    """The median of the last `hours` hours, or of as many as there are, for every step: the level without what bursts from it."""

    hours: Annotated[int, Bounds(minimum=1, maximum=672)] = 24

    # A quarter of a day, a day and a week, measured as above: without any of them 0.855 and 0.857; without 6 0.825 and 0.827,
    # without 24 0.818 and 0.823, without 168 0.800 and 0.835. After a change of level the shortest is the first to follow.
    grid: ClassVar[Grid] = {"hours": (6, 24, 168)}

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """One value, `horizon` times."""
        steps = max(1, round(self.hours * SECONDS_PER_HOUR / history.step_seconds))
        return np.full(horizon, np.median(history.target[-steps:]))


@models.register("fading_median")
@dataclass(frozen=True, slots=True, kw_only=True)
class FadingMedian(NeedsDay):
    """The weighted median of the same time of day over two weeks: each day has `fade` times the votes of the next newer one.

    The same day of the week has `weekday` times as many.
    """

    fade: Annotated[float, Bounds(minimum=0.1, maximum=1)] = 0.6
    weekday: Annotated[float, Bounds(minimum=1, maximum=100)] = 1.0

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Step h is the weighted median of the values whole days before it."""
        days = recent_days(history, MAX_FADING_DAYS)
        ages = np.arange(len(days), 0, -1)
        knows_weekdays = self.weekday > 1 and history.step_seconds <= SECONDS_PER_DAY
        ahead = range(-(-horizon // days.shape[1]) if knows_weekdays else 1)
        medians = [weighted_median(days, np.broadcast_to(self._votes(ages, day)[:, np.newaxis], days.shape)) for day in ahead]
        return np.resize(np.concatenate(medians), horizon)

    def _votes(self, ages: NDArray[np.int_], day: int) -> FloatArray:
        """Of each day before, for a day ahead (0, 1, …)."""
        votes: FloatArray = self.fade ** ages.astype(np.float64) * np.where((ages + day) % DAYS_PER_WEEK == 0, self.weekday, 1.0)
        return votes
