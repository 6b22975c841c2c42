"""What no sink takes: a forecast of a series without a name, or with a number that is not finite."""

from __future__ import annotations

from math import isfinite

from shared.domain.forecasts import Forecast
from shared.errors import SinkRefused


def refuse_unwritable(forecast: Forecast) -> None:
    """Raises SinkRefused that says what is wrong with it."""
    names = {"queue": forecast.queue, "metric": forecast.metric, "job": forecast.job}
    empty = [name for name, value in names.items() if not value.strip()]
    if empty:
        raise SinkRefused(f"the forecast's {' and '.join(empty)} is empty", **names)
    numbers = (*forecast.prediction, *forecast.lower_bound, *forecast.upper_bound, forecast.mape or 0.0, forecast.skill or 0.0)
    if not all(map(isfinite, numbers)):
        raise SinkRefused("the forecast has a number that is not finite", **names)
