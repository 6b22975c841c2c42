"""Baselines: plain arithmetic that every other model has to beat, and that still works when nothing else does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from shared.domain.jobs import Grid
from shared.domain.timegrid import SECONDS_PER_DAY
from worker.models import models
from worker.models.base import Bounds, Extent, FloatArray, History, Model

Days = Annotated[int, Bounds(minimum=1, maximum=28)]


class NeedsDay(Model):
    """A model that learns from the time of day, or of one whole day."""

    def missing(self, extent: Extent) -> str | None:
        """One whole day is enough."""
        needed = extent.steps_per_day
        return None if extent.length >= needed else f"it needs a day of history: {needed} steps, found {extent.length}"


@models.register("last_value")
@dataclass(frozen=True, slots=True, kw_only=True)
class LastValue(Model):
    """Nothing changes any more (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 5.2)."""

    is_baseline: ClassVar[bool] = True

    def missing(self, extent: Extent) -> str | None:
        """One step is enough."""
        return None if extent.length >= 1 else "it needs at least one step of history"

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """The newest value, `horizon` times."""
        return np.full(horizon, history.target[-1])


@models.register("seasonal_naive")
@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonalNaive(Model):
    """The last `days` days repeat (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 5.2).

    Where the step is longer than that, the last step repeats.
    """

    days: Days = 1

    grid: ClassVar[Grid] = {"days": (1, 7)}  # yesterday; the same day of last week
    is_baseline: ClassVar[bool] = True

    def missing(self, extent: Extent) -> str | None:
        """The season that repeats must be there in full."""
        season = self._season(extent.step_seconds)
        return None if extent.length >= season else f"it needs {season} steps of history, found {extent.length}"

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """The last season, over and over."""
        return np.resize(history.target[-self._season(history.step_seconds) :], horizon)

    def _season(self, step_seconds: int) -> int:
        """Rounded once for all days together: with a step of 7 h, 7 days are 24 steps and not 7 × 3."""
        return max(1, round(self.days * SECONDS_PER_DAY / step_seconds))


@models.register("hour_mean")
@dataclass(frozen=True, slots=True, kw_only=True)
class HourMean(NeedsDay):
    """The mean of the same time of day over the last `days` days, or over as many whole ones as there are."""

    days: Days = 7

    grid: ClassVar[Grid] = {"days": (7,)}  # every weekday once
    is_baseline: ClassVar[bool] = True

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Step h is the mean of the values whole days before it."""
        return np.resize(recent_days(history, self.days).mean(axis=0), horizon)


def recent_days(history: History, days: int) -> FloatArray:
    """The last `days` days, or as many whole ones as there are: shape (days, steps of a day)."""
    season = history.steps_per_day
    asked = max(1, round(days * SECONDS_PER_DAY / (season * history.step_seconds)))  # one where a step is longer
    seasons = min(asked, history.length // season)
    return history.target[-seasons * season :].reshape(seasons, season)
