"""The features of the calendar, and its holidays."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from holidays import list_supported_countries

from shared.domain.holiday_codes import CODES
from shared.errors import InvalidRequest
from worker.prepare.calendar import calendar_features, holidays_between


def hours(start: str, periods: int, freq: str = "1h") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=periods, freq=freq)


def test_every_feature_of_one_moment_is_a_float():
    frame = calendar_features(pd.DatetimeIndex(["2026-12-30T13:45"]), (date(2026, 12, 30),))
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
    ("times", "feature", "values"),
    [
        (hours("2026-01-05", 7, "1D"), "is_weekend", [0, 0, 0, 0, 0, 1, 1]),  # from Monday
        (hours("2026-01-05", 7, "1D"), "days_from_weekend", [1, 2, 3, 2, 1, 0, 0]),
        (hours("2026-04-23T22:00", 4), "is_holiday", [0, 0, 1, 1]),
        (hours("2026-01-01", 3), "is_holiday", [0, 0, 0]),
    ],
)
def test_features_are_those_of_the_readings(times: pd.DatetimeIndex, feature: str, values: list[float]) -> None:
    assert calendar_features(times, (date(2026, 4, 24), date(2026, 10, 25)))[feature].tolist() == values


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
        (hours("2026-10-26", 24), ("DE", "AT", date(2026, 10, 26)), ("2026-10-26",)),
        (hours("2026-01-01", 3), None, ()),
    ],
)
def test_holidays_are_those_between_first_and_last_step(times: pd.DatetimeIndex, asked: Any, dates: tuple[str, ...]) -> None:
    assert tuple(day.isoformat() for day in holidays_between(times, asked)) == dates


@pytest.mark.parametrize("code", ["XX", "DE-ZZ", ""])
def test_an_unknown_country_is_refused_with_what_is_accepted(code):
    with pytest.raises(InvalidRequest, match=rf"field holidays\): found '{code}', accepted is an ISO 3166 code such as"):
        holidays_between(hours("2026-01-01", 3), code)


def test_the_codes_that_the_api_accepts_are_those_whose_holidays_are_known() -> None:
    known = {country: parts for country, parts in list_supported_countries().items() if len(country) == 2}
    assert {country: {part for part in parts if len(part) <= 3} for country, parts in known.items()} == CODES
