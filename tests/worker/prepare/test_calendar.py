"""The calendar in the request's time zone, through summer time and holidays."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

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


def test_the_week_and_its_end():
    week = calendar_features(hours("2026-01-05", 7, "1D"), "UTC", ())  # from Monday
    assert week.is_weekend.tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert week.days_from_weekend.tolist() == [1, 2, 3, 2, 1, 0, 0]


def test_the_hour_that_summer_time_skips():
    spring = calendar_features(hours("2026-03-29T00:00", 4), BERLIN, ())
    assert spring.hour.tolist() == [1, 3, 4, 5]


def test_the_hour_that_comes_twice_in_autumn():
    autumn = calendar_features(hours("2026-10-24T22:00", 5), BERLIN, ("2026-10-25",))
    assert autumn.hour.tolist() == [0, 1, 2, 2, 3]
    assert autumn.is_holiday.tolist() == [1, 1, 1, 1, 1]


def test_a_midnight_that_summer_time_skips_is_no_error():
    night = calendar_features(hours("2026-04-23T21:00", 3), "Africa/Cairo", ("2026-04-24",))
    assert night.hour.tolist() == [23, 1, 2]
    assert night.is_holiday.tolist() == [0, 1, 1]


def test_nine_o_clock_stays_nine_o_clock():
    nine = pd.date_range("2026-03-27T09:00", periods=5, freq="1D", tz=BERLIN).tz_convert("UTC")
    assert len(set(nine.hour)) == 2
    assert calendar_features(nine, BERLIN, ()).hour.tolist() == [9.0] * 5


def test_days_begin_at_local_midnight():
    evening = calendar_features(hours("2026-01-09T15:00", 2), "Asia/Tokyo", ())
    assert evening.is_weekend.tolist() == [1, 1]


def test_holidays_of_a_country_between_first_and_last_step():
    times = hours("2026-04-01", 24 * 60)
    assert holiday_dates(times, BERLIN, "DE") == ("2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-25")
    assert holiday_dates(times, BERLIN, "de") == holiday_dates(times, BERLIN, "DE")


def test_holidays_of_a_part_of_a_country():
    epiphany = hours("2026-01-05", 48)
    assert holiday_dates(epiphany, BERLIN, "DE-BY") == ("2026-01-06",)
    assert holiday_dates(epiphany, BERLIN, "DE") == ()


def test_holidays_of_both_years_around_new_year():
    assert holiday_dates(hours("2025-12-20", 24 * 20), BERLIN, "DE") == ("2025-12-25", "2025-12-26", "2026-01-01")


def test_dates_given_by_name_are_sorted_and_cut_to_the_steps():
    given = (date(2026, 1, 7), date(2026, 1, 6), date(2026, 1, 6), date(2030, 1, 1))
    assert holiday_dates(hours("2026-01-05", 24 * 7), "UTC", given) == ("2026-01-06", "2026-01-07")


def test_no_holidays():
    assert holiday_dates(hours("2026-01-01", 3), "UTC", None) == ()
    assert calendar_features(hours("2026-01-01", 3), "UTC", ()).is_holiday.tolist() == [0, 0, 0]


@pytest.mark.parametrize("code", ["XX", "DE-ZZ", ""])
def test_an_unknown_country_is_refused_with_what_is_accepted(code):
    with pytest.raises(InvalidRequest, match=rf"field holidays\): found '{code}', accepted is an ISO 3166 code such as"):
        holiday_dates(hours("2026-01-01", 3), "UTC", code)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", ""])
def test_an_unknown_time_zone_is_refused_with_what_is_accepted(name):
    with pytest.raises(InvalidRequest, match=rf"field timezone\): found '{name}', accepted is an IANA name"):
        calendar_features(hours("2026-01-01", 3), name, ())
