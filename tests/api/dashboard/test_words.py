"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.dashboard import words
from shared.domain.units import Unit
from tests.factories import MONDAY, a_forecast


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0, "0.0"), (9.44, "9.4"), (9.97, "10"), (86.5, "86"), (1234.4, "1,234"), (-12.0, "-12")]
)
def test_a_number_has_two_digits_or_all_before_the_point(value: float | None, text: str) -> None:
    assert words.number(value) == text


def test_per_cent_and_skill_have_their_unit_and_what_is_not_known_has_none() -> None:
    assert (words.percent(7.25), words.percent(None)) == ("7.2\u202f%", "–")
    assert (words.skill(0.214), words.skill(-0.05), words.skill(None)) == ("+21\u202f%", "-5\u202f%", "–")
    assert (words.amount(7, Unit.PERCENT), words.amount(7, Unit.COUNT), words.amount(7, None)) == ("7.0\u202f%", "7.0", "7.0")


def test_bytes_are_told_in_units_that_people_read_and_together_in_one() -> None:
    assert words.amount(2.0**40, Unit.BYTES) == "1.0\u202fTB"
    assert words.between(2.0**29, 3 * 2.0**30, Unit.BYTES) == "0.5 – 3.0\u202fGB"
    assert (words.added(-(2.0**30), Unit.BYTES), words.added(1.0, Unit.MEGABYTES)) == ("−1.0\u202fGB", "+1.0")
    forecast = a_forecast(unit=Unit.BYTES, upper_bound=tuple(2.0**31 for _ in a_forecast().upper_bound), maximum=2.0**42)
    assert words.shown(forecast) == (2.0**-40, "TB")
    assert (words.amount(1.16, Unit.FRACTION), words.amount(2_048.0, Unit.MEGABYTES)) == ("116\u202f%", "2,048\u202fMB")


def test_a_moment_is_told_in_the_zone_of_the_instance() -> None:
    assert words.moment(MONDAY, ZoneInfo("Asia/Kathmandu"), MONDAY) == "Mon 5 Jan, 05:45"
    assert words.moment(None, ZoneInfo("UTC"), MONDAY) == "–"


def test_a_moment_of_another_year_tells_it_and_years_are_those_of_the_zone() -> None:
    new_year = datetime(2025, 12, 31, 20, tzinfo=UTC)
    assert words.moment(new_year, ZoneInfo("UTC"), MONDAY) == "Wed 31 Dec 2025, 20:00"
    assert words.moment(new_year, ZoneInfo("Asia/Kathmandu"), MONDAY) == "Thu 1 Jan, 01:45"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.004, "4 ms"),
        (0.42, "0.4 s"),
        (45, "45 s"),
        (119, "1 min"),
        (3_600, "1 h"),
        (129_600, "36 h"),
        (172_800, "2 d"),
        (864_000, "10 d"),
    ],
)
def test_a_length_of_time_is_told_in_whole_ones_of_its_largest_unit(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("away", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=-3), "in 3 d"),
    ],
)
def test_an_age_is_told_for_both_directions(away: timedelta, text: str) -> None:
    assert words.age(MONDAY, MONDAY + away) == text
    assert words.age(None, MONDAY) == "–"


def test_how_long_steps_are_is_not_rounded() -> None:
    assert (words.lasting(60, 3_600), words.lasting(7, 300), words.lasting(12, 300)) == ("60 h", "35 min", "1 h")


@pytest.mark.parametrize(
    ("megabytes", "text"),
    [
        (None, "–"),
        (0, "0\u202fGB"),
        (512, "512\u202fMB"),
        (1_536, "1.5\u202fGB"),
        (-61_440, "−60\u202fGB"),
        (13_107_200, "12,800\u202fGB"),
        (209_715_200, "200\u202fTB"),
    ],
)
def test_memory_is_told_in_the_unit_that_compares(megabytes: int | None, text: str) -> None:
    assert words.memory(megabytes) == text
