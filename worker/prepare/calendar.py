"""Calendar features: what the clock on the wall and the calendar beside it say at each step; known in the future too.

Of readings of the wall clock (wall_clock.py), so that 9 o'clock stays 9 o'clock when summer time begins.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.occasions import HOLIDAY, Holidays
from shared.domain.timegrid import SECONDS_PER_DAY
from shared.errors import InvalidRequest

SATURDAY = 5  # as Python counts days of the week
_DAYS_FROM_WEEKEND = np.array([1, 2, 3, 2, 1, 0, 0])  # Monday is one day from Sunday, Friday one from Saturday


def on_weekend(times: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Which of these readings of the wall clock are of a Saturday or Sunday."""
    return np.asarray(times.dayofweek >= SATURDAY)


class Dates(NamedTuple):
    """Of steps: whether they are of a weekend, and the number of their day."""

    is_weekend: NDArray[np.bool_]
    day: NDArray[np.int_]

    @classmethod
    def of(cls, times: pd.DatetimeIndex) -> Dates:
        """Of these starts of steps on the wall clock."""
        return cls(on_weekend(times), times.to_numpy("datetime64[s]").view(np.int64) // SECONDS_PER_DAY)

    def at(self, places: slice | NDArray[np.int_]) -> Dates:
        """Those of these steps."""
        return Dates(self.is_weekend[places], self.day[places])


def calendar_features(times: pd.DatetimeIndex, holidays: Collection[date]) -> pd.DataFrame:
    """One row per step, one float column per feature; index = `times`.

    hour (0–23, minutes as a fraction), day_of_week (0 = Monday), day_of_month, week_of_month (1–5: days 1–7 are week 1),
    week_of_year (ISO 8601), month, quarter, is_weekend (Saturday, Sunday), days_from_weekend (0–3, to the nearest weekend day),
    is_holiday.

    Args:
        times: starts of steps on the wall clock, without a zone.
        holidays: days, as `holidays_between` gives them.
    """
    features = {
        "hour": times.hour + times.minute / 60,
        "day_of_week": times.dayofweek,
        "day_of_month": times.day,
        "week_of_month": (times.day - 1) // 7 + 1,
        "week_of_year": times.isocalendar().week,
        "month": times.month,
        "quarter": times.quarter,
        "is_weekend": on_weekend(times),
        "days_from_weekend": _DAYS_FROM_WEEKEND[times.dayofweek],
        "is_holiday": times.normalize().isin(pd.DatetimeIndex(list(holidays))),
    }
    return pd.DataFrame({name: np.asarray(values, dtype=np.float64) for name, values in features.items()}, index=times)


def holidays_between(times: pd.DatetimeIndex, holidays: Holidays | None) -> dict[date, str]:
    """The holidays between the first and the last step, by day, with their names where they are known.

    Args:
        times: starts of steps on the wall clock, sorted, not empty.
        holidays: the code of a country (ISO 3166: "DE", or "DE-BY" for a part of it), a list of codes and days, or None. Raises
            InvalidRequest for an unknown code.
    """
    first, last = (moment.date() for moment in times[[0, -1]])
    found: dict[date, str] = {}
    for given in (holidays,) if isinstance(holidays, str) else holidays or ():
        days = _country_days(given, first.year, last.year) if isinstance(given, str) else {given: HOLIDAY}
        found |= {day: name for day, name in days.items() if first <= day <= last}
    return dict(sorted(found.items()))


@lru_cache(maxsize=64)
def _country_days(code: str, first_year: int, last_year: int) -> Mapping[date, str]:
    from holidays import country_holidays

    country, _, part = code.upper().partition("-")
    try:
        return dict(country_holidays(country, subdiv=part or None, years=range(first_year, last_year + 1)))
    except NotImplementedError as error:
        accepted = 'an ISO 3166 code such as "DE", "US" or "DE-BY", or a list of codes and days'
        raise InvalidRequest(f"found {code!r}, accepted is {accepted}", field="holidays") from error
