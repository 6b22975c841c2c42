"""The calendar in the request's time zone, through summer time and holidays."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from holidays import list_supported_countries

from shared.domain.holiday_codes import CODES
from shared.errors import InvalidRequest
from worker.prepare.calendar import calendar_features, holiday_dates

BERLIN = "Europe/Berlin"


def hours(start: str, periods: int, freq: str = "1h") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=periods, freq=freq, tz="UTC")


def test_every_feature_of_one_moment_is_a_float():
    frame = calendar_features(pd.DatetimeIndex(["2026-12-30T13:45Z"]), "UTC", ("2026-12-30",))
    assert all(frame.dtypes == np.float64)
    assert frame.iloc[0].to_dict() == {
        "hour": 13.75,
        "day_of_week": 2,  # Wednesday
        "day_of_month": 30,
        "week_of_month": 5,
        "week_of_year": 53,
        "month": 12,
        "quarter": 4,
        "is_weekend": 0,
        "days_from_weekend": 3,
        "is_holiday": 1,
    }


@pytest.mark.parametrize(
    ("times", "timezone", "feature", "values"),
    [
        (hours("2026-01-05", 7, "1D"), "UTC", "is_weekend", [0, 0, 0, 0, 0, 1, 1]),  # from Monday
        (hours("2026-01-05", 7, "1D"), "UTC", "days_from_weekend", [1, 2, 3, 2, 1, 0, 0]),
        (hours("2026-03-29T00:00", 4), BERLIN, "hour", [1, 3, 4, 5]),  # summer time skips one
        (hours("2026-10-24T22:00", 5), BERLIN, "hour", [0, 1, 2, 2, 3]),  # one comes twice in autumn
        (hours("2026-10-24T22:00", 5), BERLIN, "is_holiday", [1, 1, 1, 1, 1]),
        (hours("2026-04-23T21:00", 3), "Africa/Cairo", "hour", [23, 1, 2]),  # summer time skips midnight
        (hours("2026-04-23T21:00", 3), "Africa/Cairo", "is_holiday", [0, 1, 1]),
        (hours("2026-01-09T15:00", 2), "Asia/Tokyo", "is_weekend", [1, 1]),  # days begin at local midnight
        (hours("2026-01-01", 3), "UTC", "is_holiday", [0, 0, 0]),
    ],
)
def test_features_are_those_of_the_wall_clock(times: pd.DatetimeIndex, timezone: str, feature: str, values: list[float]) -> None:
    assert calendar_features(times, timezone, ("2026-04-24", "2026-10-25"))[feature].tolist() == values


@pytest.mark.parametrize(
    ("times", "asked", "dates"),
    [
        (hours("2026-04-01", 24 * 60), "DE", ("2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-25")),
        (hours("2026-04-01", 24 * 6), "de", ("2026-04-03", "2026-04-06")),
        (hours("2026-01-05", 48), "DE-BY", ("2026-01-06",)),  # of a part of the country alone
        (hours("2026-01-05", 48), "DE", ()),
        (hours("2025-12-20", 24 * 20), "DE", ("2025-12-25", "2025-12-26", "2026-01-01")),
        (
            hours("2026-01-05", 24 * 7),
            (date(2026, 1, 7), date(2026, 1, 6), date(2026, 1, 6), date(2030, 1, 1)),
            ("2026-01-06", "2026-01-07"),
        ),
        (hours("2026-01-01", 3), None, ()),
    ],
)
def test_holidays_are_those_between_first_and_last_step(times: pd.DatetimeIndex, asked: Any, dates: tuple[str, ...]) -> None:
    assert holiday_dates(times, BERLIN, asked) == dates


def test_nine_o_clock_stays_nine_o_clock():
    nine = pd.date_range("2026-03-27T09:00", periods=5, freq="1D", tz=BERLIN).tz_convert("UTC")
    assert len(set(nine.hour)) == 2
    assert calendar_features(nine, BERLIN, ()).hour.tolist() == [9.0] * 5


@pytest.mark.parametrize("code", ["XX", "DE-ZZ", ""])
def test_an_unknown_country_is_refused_with_what_is_accepted(code):
    with pytest.raises(InvalidRequest, match=rf"field holidays\): found '{code}', accepted is an ISO 3166 code such as"):
        holiday_dates(hours("2026-01-01", 3), "UTC", code)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", ""])
def test_an_unknown_time_zone_is_refused_with_what_is_accepted(name):
    with pytest.raises(InvalidRequest, match=rf"field timezone\): found '{name}', accepted is an IANA name"):
        calendar_features(hours("2026-01-01", 3), name, ())


def test_the_codes_that_the_api_accepts_are_those_whose_holidays_are_known() -> None:
    known = {country: parts for country, parts in list_supported_countries().items() if len(country) == 2}
    assert {country: {part for part in parts if len(part) <= 3} for country, parts in known.items()} == CODES
