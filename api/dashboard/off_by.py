"""How far off a queue's forecasts usually are, in its own unit: what people can weigh without knowing any measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from api.dashboard.words import difference
from api.edge.context import Services
from shared.domain.accuracy import MONTH_DAYS, AccuracyFilter, ErrorSums
from shared.domain.forecasts import Forecast
from shared.domain.units import Unit

MIN_STEPS = 24  # that have come: of fewer the backtest tells more


@dataclass(frozen=True, slots=True, kw_only=True)
class OffBy:
    """Mean of |actual − predicted|, in the unit of the forecast.

    steps: of how many that have come; 0 = of none yet: it is the WAPE of the backtest times the mean that is forecast.
    """

    value: float
    unit: Unit | None
    steps: int

    @property
    def words(self) -> str:
        """`6 points` of what is counted in per cent, else `310 MB`."""
        return difference(self.value, self.unit)

    @property
    def basis(self) -> str:
        """What that is known from."""
        return f"on {self.steps:,} steps of the last {MONTH_DAYS} days" if self.steps else "when tried on its past"


def off_by(forecast: Forecast, sums: ErrorSums | None) -> OffBy | None:
    """Of what was issued and has come, else of the backtest; None = neither tells.

    Args:
        sums: of the last month's forecasts of this series.
    """
    if sums is not None and sums.steps >= MIN_STEPS:
        return OffBy(value=sums.error / sums.steps, unit=forecast.unit, steps=sums.steps)
    if forecast.wape is None:
        return None
    mean = fmean(abs(value) for value in forecast.prediction)
    return OffBy(value=forecast.wape / 100 * mean, unit=forecast.unit, steps=0)


def off_by_of(services: Services, forecasts: Iterable[Forecast], now: datetime) -> Mapping[str, OffBy | None]:
    """Id of a series → how far off its forecasts are, of at most a page of them: one question for all."""
    by_id = {forecast.series_id: forecast for forecast in forecasts}
    sums = services.store.accuracy.by_series([*by_id], AccuracyFilter.last_month(now)) if by_id else {}
    return {series_id: off_by(forecast, sums.get(series_id)) for series_id, forecast in by_id.items()}
