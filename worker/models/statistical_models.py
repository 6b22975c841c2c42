"""Theta, CES, ETS, MSTL and MFLES, as statsforecast has them: milliseconds each, and good company in a blend."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal, Protocol

import numpy as np

from shared.domain.jobs import Grid
from shared.domain.timegrid import SECONDS_PER_DAY
from shared.errors import UnstableFit
from worker.models import models
from worker.models.base import MIN_SEASONS, Asked, Extent, FloatArray, History, Model

MIN_STEPS = 10  # below that the library refuses its own models one by one
MAX_ETS_SEASON = 24  # steps; each one has a start value of its own to be searched for, and R's `ets` stops here too
DAYS_PER_WEEK = 7
# Seasons after which the folds of a backtest have a new fit. One for each of them doubled the price and is no better: on the
# tuning half of tests/bench/forecast.py WAPE is 0.997 and 1.001 times that at 24 steps (two seeds), 0.999 and 1.002 at 72 steps.
FITTED_EVERY = 5
STILL_FITS = 1.25  # times what a fit missed by one step ahead: an updated one may miss by no more
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
        return _Fits(self.library_name, season(history.step_seconds)).forecast(self._learned(history), horizon)

    def forecasts(self, asked: Sequence[Asked]) -> list[FloatArray]:
        """Fitted again after `FITTED_EVERY` seasons, and updated in between; raises UnstableFit."""
        steps = season(asked[0][0].step_seconds)
        fits, fit_at, answers = _Fits(self.library_name, steps), -np.inf, []
        for history, horizon in asked:
            is_due = history.length - fit_at >= FITTED_EVERY * steps
            fit_at = history.length if is_due else fit_at
            answers.append((fits.forecast if is_due else fits.updated)(self._learned(history), horizon))
        return answers

    def _learned(self, history: History) -> FloatArray:
        steps = season(history.step_seconds)
        return history.target if self.max_seasons is None else history.target[-self.max_seasons * steps :]


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
        return _Fits(self.library_name, self._lengths(history.step_seconds)).forecast(history.target, horizon)

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


Answer = Mapping[str, FloatArray]


class _OfLibrary(Protocol):
    def fit(self, y: FloatArray) -> _OfLibrary: ...
    def predict(self, h: int) -> Answer: ...
    def predict_in_sample(self) -> Answer: ...
    def forward(self, y: FloatArray, h: int, *, fitted: bool) -> Answer: ...


class _Fits:
    """A model of the library, fitted and then updated."""

    def __init__(self, name: str, seasons: int | list[int]) -> None:
        from statsforecast import models as library

        self._new: Callable[[], _OfLibrary] = partial(getattr(library, name), seasons)
        self._fitted: _OfLibrary | None = None
        self._most = 0.0

    def forecast(self, values: FloatArray, horizon: int) -> FloatArray:
        """Of a new fit; raises UnstableFit when none was found, or one that is not finite."""
        new = self._new()
        answer = _answer(lambda: new.fit(values.copy()).predict(h=horizon))
        self._fitted = None
        if np.ptp(values) > 0:  # what a constant teaches holds for nothing else
            self._fitted, self._most = new, STILL_FITS * _missed(new.predict_in_sample(), values)
        return _mean(answer)

    def updated(self, values: FloatArray, horizon: int) -> FloatArray:
        """Of the last fit, to which these values are shown; of a new one where that will not do."""
        if (fitted := self._fitted) is not None and np.ptp(values) > 0:
            with suppress(UnstableFit):
                answer = _answer(lambda: fitted.forward(y=values.copy(), h=horizon, fitted=True))
                if _missed(answer, values) <= self._most:
                    return _mean(answer)
        return self.forecast(values, horizon)


def _answer(work: Callable[[], Answer]) -> Answer:
    """What the library's model forecasts."""
    try:
        with warnings.catch_warnings():  # a series that fits exactly, and a constant one, divide by zero on the way
            warnings.simplefilter("ignore", RuntimeWarning)
            answer = work()
    except Exception as error:
        if type(error) is not Exception:  # a bare one is all that the library says when nothing could be fitted
            raise
        raise UnstableFit(f"no variant of it could be fitted ({error})") from error
    if not np.isfinite(_mean(answer)).all():
        raise UnstableFit("the fit is explosive: its forecast is not finite")
    return answer


def _mean(answer: Answer) -> FloatArray:
    return np.asarray(answer["mean"], dtype=np.float64)


def _missed(answer: Answer, values: FloatArray) -> float:
    """Mean error one step ahead; infinite where there is none."""
    missed = float(np.nanmean(np.abs(np.asarray(answer["fitted"], dtype=np.float64) - values)))
    return missed if np.isfinite(missed) else np.inf
