"""Theta, CES, ETS, MSTL and MFLES, as statsforecast has them: milliseconds each, and good company in a blend."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from shared.domain.jobs import Grid
from shared.domain.timegrid import SECONDS_PER_DAY
from shared.errors import UnstableFit
from worker.models import models
from worker.models.base import MIN_SEASONS, Extent, FloatArray, History, Model

MIN_STEPS = 10  # below that the library refuses its own models one by one
MAX_ETS_SEASON = 24  # steps; each one has a start value of its own to be searched for, and R's `ets` stops here too
DAYS_PER_WEEK = 7
MAX_SEASONS = 14  # of history, two weeks of days: what more of it costs theta and CES it does not bring

Seasons = Literal["day", "week"]


class _Daily(Model):
    """A model of the library that knows one season, the day."""

    library_name: ClassVar[str]
    max_seasons: ClassVar[int | None] = None  # of history that it learns from; None = all

    def missing(self, extent: Extent) -> str | None:
        """Two seasons."""
        return _missing(extent, season(extent.step_seconds))

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Raises UnstableFit."""
        steps = season(history.step_seconds)
        if self.max_seasons is not None:
            history = replace(history, target=history.target[-self.max_seasons * steps :])
        return _forecast(self.library_name, steps, history, horizon)


@models.register("theta")
@dataclass(frozen=True, slots=True, kw_only=True)
class Theta(_Daily):
    """Dynamic optimised theta (Fiorucci et al., Models for optimising the theta method, Int. J. Forecasting 32, 2016)."""

    library_name: ClassVar[str] = "DynamicOptimizedTheta"
    max_seasons: ClassVar[int | None] = MAX_SEASONS
    cost: ClassVar[int] = 3


@models.register("ces")
@dataclass(frozen=True, slots=True, kw_only=True)
class Ces(_Daily):
    """Complex exponential smoothing (Svetunkov, Kourentzes and Ord, Naval Research Logistics 69, 2022); its kind by AICc."""

    library_name: ClassVar[str] = "AutoCES"
    max_seasons: ClassVar[int | None] = MAX_SEASONS
    cost: ClassVar[int] = 4


@models.register("ets")
@dataclass(frozen=True, slots=True, kw_only=True)
class Ets(_Daily):
    """Exponential smoothing; error, trend and season by AICc (Hyndman et al., Forecasting with Exponential Smoothing, 2008)."""

    library_name: ClassVar[str] = "AutoETS"
    cost: ClassVar[int] = 90

    def missing(self, extent: Extent) -> str | None:
        """Two seasons, none of them too long."""
        steps = season(extent.step_seconds)
        if steps > MAX_ETS_SEASON:
            return f"it needs a season of at most {MAX_ETS_SEASON} steps, found {steps}: a longer step would do"
        return _missing(extent, steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seasonal(Model):
    """A model of the library that knows any number of seasons: weeks beside days where asked."""

    seasons: Seasons = "day"

    library_name: ClassVar[str]
    # Weeks where the history has two before the first backtest window: with MSTL OWA 0.47 against 0.53 on 20 series of M4-Hourly
    # (tuning half of tests/bench/forecast.py), but without the day alone the choice got worse (0.330 against 0.322). With MFLES
    # OWA 0.92 against 1.02.
    grid: ClassVar[Grid] = {"seasons": ("day", "week")}

    def missing(self, extent: Extent) -> str | None:
        """Two of the longest season, and any season at all."""
        lengths = self._lengths(extent.step_seconds)
        if min(lengths) == 1:
            return "it needs a season, and in steps of this length there is none"
        if self.seasons == "week" and len(lengths) == 1:
            return "it needs days beside the weeks, and in steps of this length there are none"
        return _missing(extent, max(lengths))

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Raises UnstableFit."""
        return _forecast(self.library_name, self._lengths(history.step_seconds), history, horizon)

    def _lengths(self, step_seconds: int) -> list[int]:
        """The day, and the week beside it where asked; what has no length of its own is left out."""
        week = round(DAYS_PER_WEEK * SECONDS_PER_DAY / step_seconds)
        return list(dict.fromkeys((season(step_seconds), week))) if self.seasons == "week" else [season(step_seconds)]


@models.register("mstl")
@dataclass(frozen=True, slots=True, kw_only=True)
class Mstl(_Seasonal):
    """Seasons cut out by loess, the rest by ETS (Bandara, Hyndman and Bergmeir, MSTL, 2021); weeks beside days where asked."""

    library_name: ClassVar[str] = "MSTL"
    cost: ClassVar[int] = 25


@models.register("mfles")
@dataclass(frozen=True, slots=True, kw_only=True)
class Mfles(_Seasonal):
    """Trend, Fourier seasons and level, boosted in turn (Blume, MFLES, 2024); weeks beside days where asked."""

    library_name: ClassVar[str] = "MFLES"
    cost: ClassVar[int] = 2


def season(step_seconds: int) -> int:
    """Steps of a day; of a week where a step is a day; 1 = no season where a step is longer than that."""
    days = round(SECONDS_PER_DAY / step_seconds)
    return days if days > 1 else max(1, round(DAYS_PER_WEEK * SECONDS_PER_DAY / step_seconds))


def _missing(extent: Extent, longest: int) -> str | None:
    needed = max(MIN_SEASONS * longest, MIN_STEPS)
    return None if extent.length >= needed else f"it needs {needed} steps of history, found {extent.length}"


def _forecast(name: str, seasons: int | list[int], history: History, horizon: int) -> FloatArray:
    """What the library's model answers; raises UnstableFit when it found no fit, or one that is not finite."""
    from statsforecast import models as library

    model = getattr(library, name)(seasons)
    try:
        with warnings.catch_warnings():  # a series that fits exactly, and a constant one, divide by zero on the way
            warnings.simplefilter("ignore", RuntimeWarning)
            answer = model.forecast(y=history.target.copy(), h=horizon)
    except Exception as error:
        if type(error) is not Exception:  # a bare one is all that the library says when nothing could be fitted
            raise
        raise UnstableFit(f"no variant of it could be fitted ({error})") from error
    forecast = np.asarray(answer["mean"], dtype=np.float64)
    if not np.isfinite(forecast).all():
        raise UnstableFit("the fit is explosive: its forecast is not finite")
    return forecast
