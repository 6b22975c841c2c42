"""Where a forecast exceeds what its queue has and what it can get. Every part of Queuecast that tells of that asks here.

              maximum ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄  at it: the limit that hurts, as work waits       ─▶ over_limit
                                 ▂▆▇▆▂
           guaranteed ┄┄┄┄┄┄┄┄┄▂▆┄┄┄┄┄▆▂┄┄┄┄  above it: lent, at others' mercy                 ─▶ beyond_share
                        ▂▂▄▄▄▄▆         ▆▄▄▂
                     ▲
                     now: steps that are over do not count

Where nobody knows the maximum, what is guaranteed is the limit. Likely is what the prediction exceeds, possible what only the
upper bound does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import inf, nextafter

from shared.domain.forecasts import Forecast

AT = 0.99  # of the maximum: containers are whole and steps are means, so a queue at its limit stays a little below
PERCENT = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceedance:
    """The steps still ahead (their starts) that exceed a level: likely by the prediction, possible only by the upper bound."""

    level: float  # in the unit of the forecast; of `above_100` per cent
    likely: tuple[datetime, ...]
    possible: tuple[datetime, ...]

    @property
    def first_at(self) -> datetime | None:
        """The first of all of them."""
        return min((*self.likely, *self.possible), default=None)

    @property
    def is_likely(self) -> bool:
        """Whether the prediction itself exceeds it."""
        return bool(self.likely)

    @property
    def is_possible(self) -> bool:
        """Whether anything does."""
        return bool(self.likely or self.possible)


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """From when on something still ahead exceeds a level, and whether the prediction does so anywhere."""

    first_at: datetime
    is_likely: bool


class Ahead:
    """The steps of a forecast that are still ahead: which levels they exceed first, of many forecasts at little cost.

    It gives the answers of `above_part` and `beyond_share` without the steps.
    """

    __slots__ = ("_forecast", "_over", "_predicted", "highest")

    def __init__(self, forecast: Forecast, now: datetime) -> None:
        self._forecast, self._over = forecast, steps_over(forecast, now)
        self._predicted = max(forecast.prediction[self._over :], default=-inf)
        self.highest = max(self._predicted, max(forecast.upper_bound[self._over :], default=-inf))  # in the forecast's unit

    @property
    def is_over(self) -> bool:
        """Whether there are none."""
        return self._over == self._forecast.horizon_steps

    def above_part(self, percent: float) -> First | None:
        """The first above so many per cent of the limit that hurts; None = there is none, or no limit is known."""
        if (limit := limit_of(self._forecast)) is None:
            return None
        if percent >= PERCENT:
            return self._above(nextafter(limit_at(self._forecast, limit), -inf))  # at it counts, too
        return self._above(limit * percent / PERCENT)

    def beyond_share(self) -> First | None:
        """The first above what is guaranteed; None = there is none, or that is not known."""
        return None if self._forecast.guaranteed is None else self._above(self._forecast.guaranteed)

    def _above(self, level: float) -> First | None:
        if self.highest <= level:
            return None
        forecast = self._forecast
        both = zip(forecast.prediction[self._over :], forecast.upper_bound[self._over :], strict=True)
        step = next(step for step, values in enumerate(both, self._over) if max(values) > level)
        return First(first_at=forecast.start_of(step + 1), is_likely=self._predicted > level)


def steps_over(forecast: Forecast, now: datetime) -> int:
    """How many of its steps have ended."""
    return min(forecast.horizon_steps, max(0, forecast.grid.steps_between(forecast.issued_at, now)))


def limit_of(forecast: Forecast) -> float | None:
    """The limit that hurts: the maximum, else what is guaranteed; None = none is known."""
    return forecast.guaranteed if forecast.maximum is None else forecast.maximum


def over_limit(forecast: Forecast, now: datetime) -> Exceedance | None:
    """The steps at the limit that hurts, or above it; None = no limit is known."""
    limit = limit_of(forecast)
    if limit is None:
        return None
    return _exceeding(forecast, now, limit, limit_at(forecast, limit), includes=True)


def beyond_share(forecast: Forecast, now: datetime) -> Exceedance | None:
    """The steps above what is guaranteed, where work runs on what others leave idle; None = what is guaranteed is not known."""
    if forecast.guaranteed is None:
        return None
    return _exceeding(forecast, now, forecast.guaranteed, forecast.guaranteed)


def above_part(forecast: Forecast, now: datetime, percent: float) -> Exceedance | None:
    """The steps above so many per cent of the limit that hurts; from 100 on those of `over_limit`."""
    limit = limit_of(forecast)
    if limit is None or percent >= PERCENT:
        return over_limit(forecast, now)
    level = limit * percent / PERCENT
    return _exceeding(forecast, now, level, level)


def above_full(forecast: Forecast, now: datetime) -> Exceedance | None:
    """The steps above 100 %, or at it where a queue gets no more; None = the values are no percentages, or may be fractions."""
    full = forecast.unit.full if forecast.unit else None
    if full is None:
        return None
    is_capped = forecast.maximum is not None and forecast.maximum <= full
    return _exceeding(forecast, now, PERCENT, full * AT if is_capped else full, includes=is_capped)


def limit_at(forecast: Forecast, limit: float) -> float:
    """From where on a queue counts as being at its limit."""
    return limit * AT if forecast.maximum is not None else limit


def _exceeding(forecast: Forecast, now: datetime, level: float, threshold: float, *, includes: bool = False) -> Exceedance:
    """The steps above the threshold, with `includes` those at it too."""

    def exceeds(value: float) -> bool:
        return value >= threshold if includes else value > threshold

    likely, possible = [], []
    for step in range(steps_over(forecast, now), forecast.horizon_steps):
        if exceeds(forecast.prediction[step]):
            likely.append(step)
        elif exceeds(forecast.upper_bound[step]):
            possible.append(step)
    return Exceedance(level=level, likely=_starts(forecast, likely), possible=_starts(forecast, possible))


def _starts(forecast: Forecast, steps: list[int]) -> tuple[datetime, ...]:
    return forecast.starts_of([step + 1 for step in steps])
