"""Prophet: a trend that bends, daily, weekly and yearly seasons."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import pandas as pd

from shared.domain.jobs import Grid
from shared.domain.timegrid import SECONDS_PER_DAY
from worker.models import models
from worker.models.base import MIN_SEASONS, Bounds, Extent, FloatArray, History, Model

if TYPE_CHECKING:
    from prophet import Prophet

DAYS_PER_YEAR = 365
STIFFNESS = 0.05  # Prophet's own default of the changepoints' scale
# Of the calendar, beside Prophet's own seasons. On 71 tasks (pools, machines, metrics) WAPE of the seasonal naive's at 24 steps,
# without and with these: 14 d of history 1.045 and 1.003 (flat), 1.129 and 1.100 (linear), 28 d 1.189 and 1.188, 0.963 and 0.951.
# Days and weeks of the month and of the year made it worse (flat: 1.127, 1.297): in so short a history they are a trend.
CALENDAR = ("hour", "day_of_week", "is_weekend", "days_from_weekend")
MIN_STEPS = 10  # below that two numbers of trend and a noise level are guesses


@models.register("prophet")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProphetModel(Model):
    """Trend and seasons, added up or multiplied (Taylor and Letham, Forecasting at Scale, 2018).

    Its own bands are never asked for: bounds come from backtest errors, alike for all models.
    """

    growth: Literal["flat", "linear"] = "linear"
    changepoint_prior_scale: Annotated[float, Bounds(minimum=0.001, maximum=10)] = STIFFNESS
    seasonality_mode: Literal["additive", "multiplicative"] = "additive"

    # A looser trend (0.5) beside these two changed nothing in what was chosen on the tuning half of tests/bench/forecast.py (WAPE
    # of the seasonal naive's: 24 steps 0.910 with, 0.909 without; 72 steps 1.118 and 1.117; M4-Hourly OWA 0.322 both), and alone
    # it is the worst of the three. Multiplicative seasons gave at most 4 % with perfect choice, for twice the candidates.
    grid: ClassVar[Grid] = {
        "growth": ("flat", "linear"),
        "changepoint_prior_scale": (STIFFNESS,),
        "seasonality_mode": ("additive",),
    }
    cost: ClassVar[int] = 20
    is_scaled: ClassVar[bool] = False  # Prophet divides by the largest value itself

    def __post_init__(self) -> None:
        """A flat trend has no changepoints: whatever their scale it is the same model, which is tried once."""
        if self.growth == "flat":
            object.__setattr__(self, "changepoint_prior_scale", STIFFNESS)

    def missing(self, extent: Extent) -> str | None:
        """Two days, and ten steps."""
        needed = max(MIN_SEASONS * extent.steps_per_day, MIN_STEPS)
        return None if extent.length >= needed else f"it needs {needed} steps of history, found {extent.length}"

    def calendar_of(self, history: History) -> tuple[str, ...]:
        """Those that vary, from two weeks on, as weeks are."""
        has_weeks = _days(history) >= MIN_SEASONS * 7
        varies = np.ptp(history.calendar.iloc[: history.length].to_numpy(), axis=0) > 0
        return tuple(name for name, does in zip(history.calendar, varies, strict=True) if has_weeks and does and name in CALENDAR)

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Fit by Stan's optimiser and predict."""
        known, ahead = history.times[: history.length], history.times[history.length : history.length + horizon]
        calendar = history.calendar[list(self.calendar_of(history))]
        prophet = self._fitted(history, known, calendar)
        steps = calendar.iloc[history.length : history.length + horizon].assign(ds=ahead)
        return prophet.predict(steps)["yhat"].to_numpy(np.float64)

    def _fitted(self, history: History, known: pd.DatetimeIndex, calendar: pd.DataFrame) -> Prophet:
        prophet = self._unfitted(history)
        for name in map(str, calendar):
            prophet.add_regressor(name)
        with TemporaryDirectory() as scratch:  # else each fit leaves its files until the process ends
            # Below 100 points Prophet would choose Newton, which takes up to seconds where L-BFGS takes milliseconds. It stays
            # what Prophet falls back to when L-BFGS finds no way on: on series without noise.
            frame = calendar.iloc[: history.length].assign(ds=known, y=history.target)
            prophet.fit(frame, algorithm="LBFGS", seed=history.seed, output_dir=scratch)
        return prophet

    def _unfitted(self, history: History) -> Prophet:
        _silence("prophet.plot")
        from prophet import Prophet  # sets the level of its own logger

        _silence("prophet", "prophet.forecaster", "prophet.models", "cmdstanpy")
        days = _days(history)
        return Prophet(
            growth=self.growth,
            changepoint_prior_scale=self.changepoint_prior_scale,
            seasonality_mode=self.seasonality_mode,
            daily_seasonality=history.step_seconds < SECONDS_PER_DAY,
            weekly_seasonality=history.step_seconds <= SECONDS_PER_DAY and days >= MIN_SEASONS * 7,
            yearly_seasonality=days >= MIN_SEASONS * DAYS_PER_YEAR,
            uncertainty_samples=0,
        )


def _days(history: History) -> float:
    return history.length * history.step_seconds / SECONDS_PER_DAY


def _silence(*names: str) -> None:
    """Prophet reports each choice and misses plotly at import, cmdstanpy reports each fit: none of it concerns an operator."""
    for name in names:
        logging.getLogger(name).disabled = True  # a level they would set again themselves
