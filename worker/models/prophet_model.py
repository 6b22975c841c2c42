"""Prophet: a trend that bends, daily, weekly and yearly seasons, holidays."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import pandas as pd

from shared.errors import NeedsMoreHistory, UnstableFit
from shared.forecasts import Lane
from shared.jobs import Grid
from worker.models import models
from worker.models.base import SECONDS_PER_DAY, Bounds, FloatArray, History

if TYPE_CHECKING:
    from prophet import Prophet

SEASONS_NEEDED = 2  # whole ones, of a day, a week or a year, before that season is fitted
DAYS_PER_YEAR = 365
FEWEST_STEPS = 10  # below that two numbers of trend and a noise level are guesses


@models.register("prophet")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProphetModel:
    """Trend, seasons and holidays, added up or multiplied (Taylor and Letham, Forecasting at Scale, 2018).

    Its own bands are never asked for: bounds come from backtest errors, alike for all models.
    """

    growth: Literal["flat", "linear"] = "linear"
    changepoint_prior_scale: Annotated[float, Bounds(minimum=0.001, maximum=10)] = 0.05
    seasonality_mode: Literal["additive", "multiplicative"] = "additive"

    # Tried on utilisation, cloud metrics and M4: with hindsight the best of flat, linear 0.05 and linear 0.5 is 3–9 % better than
    # the best of the first two; multiplicative seasons gave at most 4 % more, for twice the candidates. Flat has no changepoints,
    # so that one of the four repeats another: the price of a grid that is a plain product.
    grid: ClassVar[Grid] = {
        "growth": ("flat", "linear"),
        "changepoint_prior_scale": (0.05, 0.5),
        "seasonality_mode": ("additive",),
    }
    lane: ClassVar[Lane] = Lane.SCORE
    cost: ClassVar[int] = 20
    is_baseline: ClassVar[bool] = False
    is_scaled: ClassVar[bool] = False  # Prophet divides by the largest value itself

    @classmethod
    def missing(cls, *, length: int, steps_per_day: int, **_: int) -> str | None:
        """Two days, and ten steps."""
        needed = max(SEASONS_NEEDED * steps_per_day, FEWEST_STEPS)
        return None if length >= needed else f"Prophet needs {needed} steps of history, found {length}"

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Fit by Stan's optimiser and predict; raises NeedsMoreHistory, or UnstableFit when the optimiser gives up."""
        reason = self.missing(length=history.length, steps_per_day=history.steps_per_day)
        if reason is not None:
            raise NeedsMoreHistory(reason)
        times = _wall_clock(history)
        known, ahead = times[: history.length], times[history.length : history.length + horizon]
        prophet = self._fitted(history, known)
        # Prophet sorts by time, and the wall clock may run back in autumn: predict each reading once, then put them in our order.
        predicted = prophet.predict(pd.DataFrame({"ds": ahead.unique()})).set_index("ds")["yhat"]
        return predicted.reindex(ahead).to_numpy(np.float64)

    def _fitted(self, history: History, known: pd.DatetimeIndex) -> Prophet:
        prophet = self._unfitted(history)
        with TemporaryDirectory() as scratch:  # else each fit leaves its files until the process ends
            try:
                # Below 100 points Prophet would choose Newton, which takes up to seconds where L-BFGS takes milliseconds. It stays
                # what Prophet falls back to when L-BFGS finds no way on: on series without noise.
                prophet.fit(
                    pd.DataFrame({"ds": known, "y": history.target}), algorithm="LBFGS", seed=history.seed, output_dir=scratch
                )
            except RuntimeError as error:
                last_words = str(error).strip().rpartition("\n")[2].strip()
                raise UnstableFit(f"Stan's optimiser gave up: {last_words}") from error
        return prophet

    def _unfitted(self, history: History) -> Prophet:
        _silence()
        from prophet import Prophet

        days = history.length * history.step_seconds / SECONDS_PER_DAY
        return Prophet(
            growth=self.growth,
            changepoint_prior_scale=self.changepoint_prior_scale,
            seasonality_mode=self.seasonality_mode,
            daily_seasonality=history.step_seconds < SECONDS_PER_DAY,
            weekly_seasonality=history.step_seconds <= SECONDS_PER_DAY and days >= SEASONS_NEEDED * 7,
            yearly_seasonality=days >= SEASONS_NEEDED * DAYS_PER_YEAR,
            holidays=_holiday_frame(history),
            uncertainty_samples=0,
        )


def _wall_clock(history: History) -> pd.DatetimeIndex:
    """The steps as a clock on the wall of the request's time zone shows them, without zone, as Prophet wants them.

    People and their schedules follow that clock, so a daily season must too. From UTC to the wall every step has one answer: an
    hour that summer time skips never occurs, one that comes twice in autumn occurs twice, and both are fitted as that hour.
    """
    return history.times.tz_convert(history.timezone).tz_localize(None)


def _holiday_frame(history: History) -> pd.DataFrame | None:
    if not history.holidays:
        return None
    return pd.DataFrame({"holiday": "holiday", "ds": pd.DatetimeIndex(history.holidays)})


def _silence() -> None:
    """Prophet misses plotly at import and reports each choice, cmdstanpy each fit: none of it concerns an operator."""
    logging.getLogger("prophet").setLevel(logging.ERROR)
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)
    logging.getLogger("cmdstanpy").disabled = True
