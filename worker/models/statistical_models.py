"""Theta, CES, ETS, MSTL and MFLES, as statsforecast has them: milliseconds each, and good company in a blend."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np

from shared.domain.jobs import Grid
from shared.domain.lanes import Lane
from shared.errors import UnstableFit
from worker.models import models
from worker.models.base import MIN_SEASONS, SECONDS_PER_DAY, Extent, FloatArray, History

MIN_STEPS = 10  # below that the library refuses its own models one by one
MAX_ETS_SEASON = 24  # steps; each one has a start value of its own to be searched for, and R's `ets` stops here too
DAYS_PER_WEEK = 7

Seasons = Literal["day", "week"]


@models.register("theta")
@dataclass(frozen=True, slots=True, kw_only=True)
class Theta:
    """Dynamic optimised theta (Fiorucci et al., Models for optimising the theta method, Int. J. Forecasting 32, 2016)."""

    grid: ClassVar[Grid] = {}
    lane: ClassVar[Lane] = Lane.SCORE
    cost: ClassVar[int] = 3
    is_baseline: ClassVar[bool] = False
    is_scaled: ClassVar[bool] = False

    def missing(self, extent: Extent) -> str | None:
        """Two seasons."""
        return _missing(extent, season(extent.step_seconds))

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Raises UnstableFit."""
        from statsforecast.models import DynamicOptimizedTheta

        return _forecast(DynamicOptimizedTheta(season(history.step_seconds)), history, horizon)


@models.register("ces")
@dataclass(frozen=True, slots=True, kw_only=True)
class Ces:
    """Complex exponential smoothing (Svetunkov, Kourentzes and Ord, Naval Research Logistics 69, 2022); its kind by AICc."""

    grid: ClassVar[Grid] = {}
    lane: ClassVar[Lane] = Lane.SCORE
    cost: ClassVar[int] = 4
    is_baseline: ClassVar[bool] = False
    is_scaled: ClassVar[bool] = False

    def missing(self, extent: Extent) -> str | None:
        """Two seasons."""
        return _missing(extent, season(extent.step_seconds))

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Raises UnstableFit."""
        from statsforecast.models import AutoCES

        return _forecast(AutoCES(season(history.step_seconds)), history, horizon)


@models.register("ets")
@dataclass(frozen=True, slots=True, kw_only=True)
class Ets:
    """Exponential smoothing; error, trend and season by AICc (Hyndman et al., Forecasting with Exponential Smoothing, 2008)."""

    grid: ClassVar[Grid] = {}
    lane: ClassVar[Lane] = Lane.SCORE
    cost: ClassVar[int] = 90
    is_baseline: ClassVar[bool] = False
    is_scaled: ClassVar[bool] = False

    def missing(self, extent: Extent) -> str | None:
        """Two seasons, none of them too long."""
        steps = season(extent.step_seconds)
        if steps > MAX_ETS_SEASON:
            return f"it needs a season of at most {MAX_ETS_SEASON} steps, found {steps}: a longer step would do"
        return _missing(extent, steps)

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Raises UnstableFit."""
        from statsforecast.models import AutoETS

        return _forecast(AutoETS(season(history.step_seconds)), history, horizon)


@models.register("mstl")
@dataclass(frozen=True, slots=True, kw_only=True)
class Mstl:
    """Seasons cut out by loess, the rest by ETS (Bandara, Hyndman and Bergmeir, MSTL, 2021); weeks beside days where asked."""

    seasons: Seasons = "day"

    # Weeks where the history has two before the first backtest window: OWA 0.47 against 0.53 on 20 series of M4-Hourly (tuning
    # half of tests/bench/forecast.py), but without the day alone the choice got worse (0.330 against 0.322).
    grid: ClassVar[Grid] = {"seasons": ("day", "week")}
    lane: ClassVar[Lane] = Lane.SCORE
    cost: ClassVar[int] = 25
    is_baseline: ClassVar[bool] = False
    is_scaled: ClassVar[bool] = False

    def missing(self, extent: Extent) -> str | None:
        """Two of the longest season, and any season at all."""
        return _missing_seasons(extent, self.seasons)

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Raises UnstableFit."""
        from statsforecast.models import MSTL

        return _forecast(MSTL(list(_lengths(self.seasons, history.step_seconds))), history, horizon)


@models.register("mfles")
@dataclass(frozen=True, slots=True, kw_only=True)
class Mfles:
    """Trend, Fourier seasons and level, boosted in turn (Blume, MFLES, 2024); weeks beside days where asked."""

    seasons: Seasons = "day"

    grid: ClassVar[Grid] = {"seasons": ("day", "week")}  # OWA 1.02 and 0.92, as in MSTL
    lane: ClassVar[Lane] = Lane.SCORE
    cost: ClassVar[int] = 2
    is_baseline: ClassVar[bool] = False
    is_scaled: ClassVar[bool] = False

    def missing(self, extent: Extent) -> str | None:
        """Two of the longest season, and any season at all."""
        return _missing_seasons(extent, self.seasons)

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Raises UnstableFit."""
        from statsforecast.models import MFLES

        return _forecast(MFLES(list(_lengths(self.seasons, history.step_seconds))), history, horizon)


class _Library(Protocol):
    def forecast(self, y: FloatArray, h: int) -> Mapping[str, FloatArray]: ...


def season(step_seconds: int) -> int:
    """Steps of a day; of a week where a step is a day; 1 = no season where a step is longer than that."""
    days = round(SECONDS_PER_DAY / step_seconds)
    return days if days > 1 else max(1, round(DAYS_PER_WEEK * SECONDS_PER_DAY / step_seconds))


def _lengths(seasons: str, step_seconds: int) -> tuple[int, ...]:
    """The day, and the week beside it where asked; what has no length of its own is left out."""
    week = round(DAYS_PER_WEEK * SECONDS_PER_DAY / step_seconds)
    return tuple(dict.fromkeys((season(step_seconds), week))) if seasons == "week" else (season(step_seconds),)


def _missing(extent: Extent, longest: int) -> str | None:
    needed = max(MIN_SEASONS * longest, MIN_STEPS)
    return None if extent.length >= needed else f"it needs {needed} steps of history, found {extent.length}"


def _missing_seasons(extent: Extent, seasons: str) -> str | None:
    lengths = _lengths(seasons, extent.step_seconds)
    if min(lengths) == 1:
        return "it needs a season, and in steps of this length there is none"
    if seasons == "week" and len(lengths) == 1:
        return "it needs days beside the weeks, and in steps of this length there are none"
    return _missing(extent, max(lengths))


def _forecast(library: _Library, history: History, horizon: int) -> FloatArray:
    """What the library's model answers; raises UnstableFit when it found no fit, or one that is not finite."""
    try:
        with warnings.catch_warnings():  # a series that fits exactly, and a constant one, divide by zero on the way
            warnings.simplefilter("ignore", RuntimeWarning)
            answer = library.forecast(y=history.target.copy(), h=horizon)
    except Exception as error:
        if type(error) is not Exception:  # a bare one is all that the library says when nothing could be fitted
            raise
        raise UnstableFit(f"no variant of it could be fitted ({error})") from error
    forecast = np.asarray(answer["mean"], dtype=np.float64)
    if not np.isfinite(forecast).all():
        raise UnstableFit("the fit is explosive: its forecast is not finite")
    return forecast
