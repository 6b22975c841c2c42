"""Prophet: a trend that bends, daily and weekly seasons, holidays (Taylor and Letham, Forecasting at Scale, 2018)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import pandas as pd

from shared.errors import UnstableFit
from shared.forecasts import Lane
from shared.jobs import Grid
from worker.models import models
from worker.models.base import SECONDS_PER_DAY, Bounds, FloatArray, History

if TYPE_CHECKING:
    from prophet import Prophet


@models.register("prophet")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProphetModel:
    """Trend, daily and weekly seasons and holidays, fitted by Stan's optimiser; no bands of its own."""

    growth: Literal["flat", "linear"] = "flat"
    changepoint_prior_scale: Annotated[float, Bounds(minimum=0.001, maximum=10)] = 0.05
    seasonality_mode: Literal["additive", "multiplicative"] = "additive"

    grid: ClassVar[Grid] = {"growth": ("flat", "linear"), "seasonality_mode": ("additive", "multiplicative")}
    lane: ClassVar[Lane] = Lane.SCORE
    cost: ClassVar[int] = 20
    is_baseline: ClassVar[bool] = False
    is_scaled: ClassVar[bool] = False  # Prophet divides by the largest value itself

    def forecast(self, history: History, horizon: int) -> FloatArray:
        logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)
        logging.getLogger("cmdstanpy").disabled = True
        from prophet import Prophet

        wall = history.times.tz_convert(history.timezone).tz_localize(None)
        m = Prophet(growth=self.growth, changepoint_prior_scale=self.changepoint_prior_scale, seasonality_mode=self.seasonality_mode,
            daily_seasonality=history.step_seconds < SECONDS_PER_DAY, weekly_seasonality=history.length >= 2 * history.steps_per_week and history.step_seconds<=SECONDS_PER_DAY,
            yearly_seasonality=False,
            holidays=None, uncertainty_samples=0)
        m.stan_backend.newton_fallback=False
        n = history.length
        m.fit(pd.DataFrame({"ds": wall[:n], "y": history.target}), algorithm="LBFGS", seed=history.seed)
        out = m.predict(pd.DataFrame({"ds": wall[n:].unique()}))
        return out.set_index("ds")["yhat"].reindex(wall[n:]).to_numpy(np.float64)
