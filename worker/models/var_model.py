"""VAR: the target and its covariates predict each other's deviations from their hour-of-day means (statsmodels)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np

from shared.domain.jobs import Grid
from shared.errors import UnstableFit
from worker.models import models
from worker.models.base import MIN_SEASONS, Bounds, Extent, FloatArray, History, Model

if TYPE_CHECKING:
    from statsmodels.tsa.vector_ar.var_model import VARResults

NEGLIGIBLE = 1e-9  # relative: what rounding leaves of a column that only repeats itself


@models.register("var")
@dataclass(frozen=True, slots=True, kw_only=True)
class Var(Model):
    """Vector autoregression of the target and its covariates, after their hour-of-day means.

    Source: Lütkepohl, New Introduction to Multiple Time Series Analysis, 3.2 (least squares), 4.3 (order selection) and 2.1.1
    (stability).
    """

    criterion: Literal["bic", "aic"] = "bic"
    max_lags: Annotated[int, Bounds(minimum=1, maximum=168)] = 12

    # Tried on utilisation: aic is a little better with two weeks of history (WAPE 0.90 of the seasonal naive's against 0.91, 72
    # steps ahead) and finds a lag where bic chooses none. 24 lags were no better than 12, the daily season having gone with the
    # means, but dearer, and with 120 steps aic's fit was explosive in 6 of 56 tasks.
    grid: ClassVar[Grid] = {"criterion": ("bic", "aic")}
    cost: ClassVar[int] = 5
    is_scaled: ClassVar[bool] = True  # bytes beside shares would cost least squares its digits

    def missing(self, extent: Extent) -> str | None:
        """Covariates, two days, and enough steps for one lag."""
        if extent.covariates == 0:
            return "it needs at least one covariate beside the target"
        columns = extent.covariates + 1
        needed = max(MIN_SEASONS * extent.steps_per_day, 3 * columns + 10)  # from here on `_most_lags` allows one
        return None if extent.length >= needed else f"with {columns} columns it needs {needed} steps, found {extent.length}"

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Forecast of the deviations plus the mean of their hour; raises UnstableFit with the reason."""
        columns = np.column_stack([history.target, history.covariates])
        hour = np.arange(history.length + horizon) % history.steps_per_day
        known, ahead = hour[: history.length], hour[history.length :]
        means = np.array([columns[known == hour_of_day].mean(axis=0) for hour_of_day in range(history.steps_per_day)])
        deviations = columns - means[known]
        _refuse_degenerate(deviations, columns)
        fit = self._fit(deviations)
        forecast: FloatArray = fit.forecast(deviations[-fit.k_ar :], horizon)[:, 0] + means[ahead, 0]
        return forecast

    def _fit(self, deviations: FloatArray) -> VARResults:
        """Least squares with the order that the criterion chooses; statsmodels says nothing of an explosive fit, so we ask."""
        from statsmodels.tsa.api import VAR

        try:
            fit = VAR(deviations).fit(maxlags=min(self.max_lags, _most_lags(*deviations.shape)), ic=self.criterion)
        except np.linalg.LinAlgError as error:
            raise UnstableFit(f"the columns explain each other completely, so that no fit is defined ({error})") from error
        if fit.k_ar == 0:
            raise UnstableFit(f"{self.criterion} chose no lag: past values tell nothing beyond the hour-of-day mean")
        if not fit.is_stable():
            raise UnstableFit(f"the fit with {fit.k_ar} lags is explosive: its forecast would grow without end")
        return fit


def _most_lags(steps: int, columns: int) -> int:
    """So many that two steps remain for each coefficient of an equation; more would fit the noise, or not at all."""
    return (steps - columns - 10) // (2 * columns)


def _refuse_degenerate(deviations: FloatArray, columns: FloatArray) -> None:
    """Columns that least squares cannot tell apart or that hold nothing: an error of ours instead of four of the library's."""
    spread = deviations.std(axis=0)
    for index in np.flatnonzero(spread <= NEGLIGIBLE * np.abs(columns).max(axis=0)):
        name = f"covariate {index} of {columns.shape[1] - 1}" if index else "the target"
        raise UnstableFit(f"{name} is constant, or repeats itself every day: nothing is left to fit")
    if np.linalg.matrix_rank(deviations / spread, rtol=NEGLIGIBLE) < columns.shape[1]:
        raise UnstableFit("a column is a sum of multiples of the others (collinear)")
