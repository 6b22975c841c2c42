"""The next day of a queue: by the guarantee and ceiling that it has now, in whatever its forecast is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.capacities import Resources
from shared.domain.day_ahead import best_of, day_ahead, partition_of
from shared.domain.distribution import Paths
from shared.domain.forecasts import Forecast
from shared.domain.outlook import outlooks
from shared.domain.units import Unit
from tests.factories import MONDAY, a_forecast

HOUR = timedelta(hours=1)
HAS = Resources(memory_mb=60_000, vcores=10)
MOST = Resources(memory_mb=80_000, vcores=20)


def a_day(values: list[float], *, scale: float = 1.0, blocks: int = 14, **changes: Any) -> Forecast:
    """A path for each value, all day long."""
    flat = (max(values) * scale,) * 48
    paths = Paths.of([[value * scale] * 48 for value in values], blocks=blocks, windows=7)
    given: dict[str, Any] = {
        "metric": "demand_memory_mb",
        "unit": Unit.MEGABYTES,
        "guaranteed": None,
        "prediction": flat,
        "lower_bound": flat,
        "upper_bound": flat,
        "paths": paths,
    }
    return a_forecast(**given | changes)


def told(
    forecast: Forecast, guaranteed: Resources | None = HAS, ceiling: Resources | None = MOST
) -> tuple[str | None, str | None]:
    day = day_ahead(forecast, guaranteed, ceiling, MONDAY)
    return (day.borrowing and day.borrowing.likelihood.value, day.waiting and day.waiting.likelihood.value)


@pytest.mark.parametrize(
    ("values", "chances"),
    [
        ([10_000.0] * 64, ("< 5 %", "< 5 %")),
        ([10_000.0] * 32 + [70_000.0] * 32, ("50 %", "< 5 %")),
        ([70_000.0] * 48 + [79_500.0] * 16, ("> 95 %", "25 %")),  # at the ceiling from 99 % of it on
    ],
)
def test_amounts_are_held_against_what_the_queue_has_now(values: list[float], chances: tuple[str, str]) -> None:
    assert told(a_day(values)) == chances
    assert told(a_day(values, guaranteed=1.0, maximum=2.0)) == chances


def test_a_queue_whose_ceiling_is_its_guarantee_waits_and_borrows_nothing() -> None:
    often = a_day([10_000.0] * 32 + [61_000.0] * 32)
    assert told(often, HAS, HAS) == (None, "50 %")
    assert told(a_day([10_000.0] * 64), HAS, HAS) == (None, "< 5 %")
    assert told(often, HAS, None) == ("50 %", None)


@pytest.mark.parametrize(("unit", "full"), [(Unit.PERCENT, 100.0), (Unit.FRACTION, 1.0)])
def test_percentages_and_fractions_are_of_the_guarantee(unit: Unit, full: float) -> None:
    forecast = a_day([1.1] * 32 + [1.33] * 16 + [0.5] * 16, scale=full, metric="used_capacity", unit=unit)
    assert told(forecast) == ("75 %", "25 %")
    assert told(forecast, None, None) == ("75 %", None)
    day = day_ahead(forecast, HAS, MOST, MONDAY)
    assert day.peak_memory_mb == 79_800
    assert day_ahead(forecast, None, None, MONDAY).peak_memory_mb is None


def test_nothing_that_reaches_no_level_is_counted_and_says_the_same() -> None:
    far = a_day([10_000.0, 20_000.0], blocks=7)
    counted = outlooks(replace(far, guaranteed=60_000.0, maximum=80_000.0), far.paths.rows() if far.paths else [], MONDAY, 24)[0]
    day = day_ahead(far, HAS, MOST, MONDAY)
    assert counted.borrowing is not None
    assert day.borrowing is not None
    assert (day.borrowing.likelihood, day.borrowing.hours) == (counted.borrowing.likelihood, counted.borrowing.hours)
    assert day.borrowing.first_at is counted.borrowing.first_at is None


def test_chances_that_have_not_held_are_told_in_words() -> None:
    for values, words in (([10_000.0], "unlikely"), ([70_000.0], "likely")):
        forecast = a_day(values)
        assert forecast.paths is not None
        lost = replace(forecast, paths=replace(forecast.paths, is_calibrated=False))
        assert told(lost)[0] == words


def test_why_nothing_is_told_is_said_and_a_peak_all_the_same() -> None:
    unknown = day_ahead(a_day([5.0], unit=None), HAS, MOST, MONDAY)
    assert (unknown.reason or "").startswith("nobody knows what its values are counted in")
    bare = day_ahead(a_day([5.0], paths=None), HAS, MOST, MONDAY)
    assert (bare.borrowing, bare.peak_memory_mb) == (None, 5)
    assert "joint paths" in (bare.reason or "")
    few = day_ahead(a_day([5.0], blocks=2), HAS, MOST, MONDAY)
    assert "too little is known" in (few.reason or "")
    over = day_ahead(a_day([5.0]), HAS, MOST, MONDAY + 48 * HOUR)
    assert (over.start_at, over.peak_memory_mb) == (None, None)
    assert "is over" in (over.reason or "")


def test_the_day_is_what_is_still_ahead() -> None:
    day = day_ahead(a_day([5.0]), HAS, MOST, MONDAY + 30 * HOUR)
    assert (day.start_at, day.end_at) == (MONDAY + 30 * HOUR, MONDAY + 48 * HOUR)
    day = day_ahead(a_day([5.0]), HAS, MOST, MONDAY)
    assert (day.start_at, day.end_at) == (MONDAY, MONDAY + 24 * HOUR)


@pytest.mark.parametrize(
    ("where", "partition"),
    [
        ("", "default"),
        ("partition=gpu", "gpu"),
        ("partition=default", "default"),
        ("partition=a&partition=b", None),
        ("user=a", None),
    ],
)
def test_the_partition_that_a_forecast_is_of(where: str, partition: str | None) -> None:
    assert partition_of(a_day([5.0], where=where)) == partition


def test_the_best_forecast_reaches_through_the_day_says_demand_and_is_new() -> None:
    demand, used = a_day([5.0]), a_day([5.0], metric="used_capacity")
    short = replace(a_day([5.0]), prediction=(5.0,) * 3, issued_at=MONDAY + HOUR)
    older = replace(demand, issued_at=MONDAY - HOUR, job_id="older")
    other = a_day([5.0], metric="demand_vcores")
    assert best_of([used, short, older, demand, other], MONDAY) == demand
    assert best_of([used, short, other], MONDAY) == used
    assert best_of([short, other], MONDAY) == short
    assert best_of([other], MONDAY) is None
