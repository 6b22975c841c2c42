"""Calendar features: what the clock on the wall and the calendar beside it say at each step; known in the future too.

In the request's time zone, so that 9 o'clock stays 9 o'clock when summer time begins:

    UTC            00:00  01:00  02:00        the night of 29 March 2026
    Europe/Berlin  01:00  03:00  04:00        there is no 02:00
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from shared.errors import InvalidRequest

_DAYS_FROM_WEEKEND = np.array([1, 2, 3, 2, 1, 0, 0])  # Monday is one day from Sunday, Friday one from Saturday


def calendar_features(times: pd.DatetimeIndex, timezone: str, holidays: Sequence[str]) -> pd.DataFrame:
    """One row per step, one float column per feature; index = `times`.

    hour (0–23, minutes as a fraction), day_of_week (0 = Monday), day_of_month, week_of_month (1–5: days 1–7 are week 1),
    week_of_year (ISO 8601), month, quarter, is_weekend (Saturday, Sunday), days_from_weekend (0–3, to the nearest weekend day),
    is_holiday.

    Args:
        times: starts of steps, tz-aware.
        timezone: an IANA name; raises InvalidRequest for others.
        holidays: ISO dates in that time zone, as `holiday_dates` gives them.
    """
    local = times.tz_convert(_zone(timezone)).tz_localize(None)
    features = {
        "hour": local.hour + local.minute / 60,
        "day_of_week": local.dayofweek,
        "day_of_month": local.day,
        "week_of_month": (local.day - 1) // 7 + 1,
        "week_of_year": local.isocalendar().week,
        "month": local.month,
        "quarter": local.quarter,
        "is_weekend": local.dayofweek >= 5,
        "days_from_weekend": _DAYS_FROM_WEEKEND[local.dayofweek],
        "is_holiday": local.normalize().isin(pd.DatetimeIndex(list(holidays))),
    }
    return pd.DataFrame({name: np.asarray(values, dtype=np.float64) for name, values in features.items()}, index=times)


def holiday_dates(times: pd.DatetimeIndex, timezone: str, holidays: str | Sequence[date] | None) -> tuple[str, ...]:
    """The holidays between the first and the last step, as sorted ISO dates in the time zone.

    Args:
        times: starts of steps, tz-aware, sorted, not empty.
        timezone: an IANA name.
        holidays: a country code (ISO 3166: "DE", or "DE-BY" for a part of it), the dates themselves, or None. Raises
            InvalidRequest for an unknown code.
    """
    if holidays is None:
        return ()
    local = times[[0, -1]].tz_convert(_zone(timezone))
    first, last = (moment.date() for moment in local)
    days = _country_days(holidays, first.year, last.year) if isinstance(holidays, str) else holidays
    return tuple(sorted({day.isoformat() for day in days if first <= day <= last}))


def _country_days(code: str, first_year: int, last_year: int) -> list[date]:
    from holidays import country_holidays

    country, _, part = code.upper().partition("-")
    try:
        return list(country_holidays(country, subdiv=part or None, years=range(first_year, last_year + 1)))
    except NotImplementedError as error:
        accepted = 'an ISO 3166 code such as "DE", "US" or "DE-BY", or a list of dates'
        raise InvalidRequest(f"found {code!r}, accepted is {accepted}", field="holidays") from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:  # ValueError: a name that would be a path
        raise InvalidRequest(
            f'found {name!r}, accepted is an IANA name such as "UTC" or "Europe/Berlin"', field="timezone"
        ) from error
