"""VAR: target and companions predict each other's deviations from the mean of their hour of day (statsmodels)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from shared.errors import NeedsMoreHistory, UnstableFit
from shared.forecasts import Lane
from shared.jobs import Grid
from worker.models import models
from worker.models.base import Bounds, FloatArray, History


@models.register("var")
@dataclass(frozen=True, slots=True, kw_only=True)
class Var:
    """Vector autoregression of the target and its companion columns, hour-of-day means removed first.

    Source: Lütkepohl, New Introduction to Multiple Time Series Analysis, 3.2 (least squares) and 4.3 (order selection).
    """

    criterion: Literal["bic", "aic"] = "bic"
    max_lags: Annotated[int, Bounds(minimum=1, maximum=168)] = 24

    grid: ClassVar[Grid] = {"criterion": ("bic", "aic")}
    lane: ClassVar[Lane] = Lane.SCORE
    cost: ClassVar[int] = 5
    is_baseline: ClassVar[bool] = False
    is_scaled: ClassVar[bool] = True  # columns in bytes beside shares would make least squares lose its digits

    def forecast(self, history: History, horizon: int) -> FloatArray:
        columns = np.column_stack([history.target, history.companions])
        hour = np.arange(history.length + horizon) % history.steps_per_day
        means = np.array([columns[hour[: history.length] == h].mean(axis=0) for h in range(history.steps_per_day)])
        rest = columns - means[hour[: history.length]]
        from statsmodels.tsa.api import VAR
        n,k=rest.shape
        cap=(n-k-10)//(2*k)
        model=VAR(rest)
        fit=model.fit(maxlags=min(cap,self.max_lags),ic=self.criterion)
        if fit.k_ar==0: raise UnstableFit("lag 0")
        if not fit.is_stable(): raise UnstableFit("explosive")
        ahead=fit.forecast(rest[-fit.k_ar:],horizon)
        return ahead[:,0]+means[hour[history.length:],0]
