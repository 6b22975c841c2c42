"""Medians: plain arithmetic that one odd day or one burst does not move; slow to see a trend, and good company in a blend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from shared.domain.jobs import Grid
from worker.models import models
from worker.models.base import Bounds, FloatArray, History
from worker.models.baseline_models import Days, NeedsDay, recent_days

SECONDS_PER_HOUR = 3_600


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
