"""What a queue wanted in steps in which it was held back, and how that is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.basis import Basis
from shared.domain.samples import Aggregation
from tests.factories import MONDAY, a_request
from worker.pipeline.newest import actual_points
from worker.pipeline.saturation import as_demand
from worker.sources.base import Reading

DAYS = 35
HOURS = 24 * DAYS
TARGET = "demand_memory_mb"


def a_reading(
    values: Any, beside: dict[str, Any] | None = None, frame: dict[str, Any] | None = None, target: str = TARGET
) -> Reading:
    index = pd.date_range(MONDAY - timedelta(days=DAYS), periods=HOURS, freq="1h")
    return Reading(
        frame=pd.DataFrame({target: values, **(frame or {})}, index=index, dtype=float),
        beside=pd.DataFrame(beside or {}, index=index if beside else None, dtype=float),
        rows=HOURS,
    )


def by_hour(day: int = 100) -> np.ndarray:
    """Each hour of the day has its own value."""
    return np.tile(np.arange(24) + float(day), DAYS)


def at(*places: int, value: float = 1.0) -> np.ndarray:
    found = np.zeros(HOURS)
    found[list(places)] = value
    return found


REQUEST = a_request(target=TARGET)


def test_what_waits_counts_up_to_one_and_a_half_times_the_largest_of_28_days() -> None:
    """The largest is the 123 of each day's last hour, 28 days before the peak as well as after."""
    values, peak = by_hour(), 30 * 24
    values[peak] = 10_000
    pending = at(peak, value=9_900)
    told = as_demand(REQUEST, a_reading(values, {"saturated": at(peak), "pending": pending, "used": by_hour()}))
    assert told.reading.frame[TARGET].iloc[peak] == 1.5 * 123
    others = np.delete(np.arange(HOURS), peak)
    assert told.reading.frame[TARGET].iloc[others].tolist() == values[others].tolist()
    assert told.basis == Basis(saturated=1 / HOURS, at_least=0.0)
    assert told.notes == (
        "the queue was held back in 1 of 840 steps",
        "demand of 1 of them was limited to 1.5 times the largest of the 28 days before",
    )
    assert told.warnings == ()


def test_what_waits_within_that_is_left_as_it_is() -> None:
    values, place = by_hour() + at(700, value=50), 700
    told = as_demand(REQUEST, a_reading(values, {"saturated": at(place), "pending": at(place, value=50), "used": by_hour()}))
    assert told.reading.frame[TARGET].tolist() == values.tolist()


def test_a_lower_bound_is_no_less_than_nine_in_ten_of_the_same_hours() -> None:
    values = by_hour() + np.repeat(np.arange(DAYS), 24)  # each day one more
    place = 33 * 24 + 7
    values[place] = 50
    told = as_demand(REQUEST, a_reading(values, {"saturated": at(place), "used": values}))
    same_hours = [107.0 + day for day in range(5, 33)]
    assert told.reading.frame[TARGET].iloc[place] == pytest.approx(np.quantile(same_hours, 0.9))
    assert told.notes[1].startswith("1 of them, where nobody knows what waited, were raised to nine in ten")
    higher = values.copy()
    higher[place] = 500
    assert as_demand(REQUEST, a_reading(higher, {"saturated": at(place)})).reading.frame[TARGET].iloc[place] == 500


def test_hours_are_those_of_the_time_zone() -> None:
    values = by_hour()
    reading = a_reading(values - at(700, value=99), {"saturated": at(700)})
    for zone in ("UTC", "Asia/Kolkata"):
        told = as_demand(a_request(target=TARGET, timezone=zone), reading)
        assert told.reading.frame[TARGET].iloc[700] == values[700]


@pytest.mark.parametrize("share", [0.2, 0.25])
def test_of_many_lower_bounds_the_forecast_says_at_least(share: float) -> None:
    count = int(share * HOURS)
    told = as_demand(REQUEST, a_reading(by_hour(), {"saturated": np.arange(HOURS) < count}))
    assert told.basis is not None
    assert told.basis.is_at_least == (share > 0.2)
    assert bool(told.warnings) == (share > 0.2)


def test_applications_that_wait_for_their_master_understate_what_is_pending() -> None:
    held_back = np.arange(HOURS) % 2
    signs = {"saturated": held_back, "pending": held_back * 5, "used": by_hour(), "waiting": held_back}
    told = as_demand(REQUEST, a_reading(by_hour() + held_back * 5, signs))
    assert told.basis == Basis(saturated=0.5, at_least=0.5)
    assert "nobody knows how much more it wanted" in told.warnings[0]


def test_what_is_no_demand_stays_as_it_is_and_tells() -> None:
    target, request = "used_memory_mb", a_request(target="used_memory_mb")
    told = as_demand(request, a_reading(by_hour(), {"saturated": np.ones(HOURS), "pending": np.ones(HOURS)}, target=target))
    assert told.reading.frame[target].tolist() == by_hour().tolist()
    assert told.basis == Basis(saturated=1.0, at_least=1.0)


@pytest.mark.parametrize(
    ("aggregation", "beside", "ratio"),
    [(Aggregation.P95, "mean", 2.0), (Aggregation.MEAN, "p95", 0.5), (Aggregation.MAX, "mean", None)],
)
def test_how_many_times_the_mean_the_quantile_is(aggregation: Aggregation, beside: str, ratio: float | None) -> None:
    reading = a_reading(by_hour(), {beside: by_hour() / 2})
    told = as_demand(a_request(target=TARGET, aggregation=aggregation), reading)
    assert told.basis == (None if ratio is None else Basis(p95_to_mean=ratio))


def test_columns_of_that_meaning_tell_in_any_source() -> None:
    values, place = by_hour(), 800
    values[place] = 10_000
    columns = {
        "used_memory_mb": by_hour(),
        "pending_memory_mb": values - by_hour(),
        "maximum_memory_mb": 900 - at(place, value=792),
    }
    told = as_demand(REQUEST, a_reading(values, frame=columns))
    assert told.reading.frame[TARGET].iloc[place] == 1.5 * 123
    assert told.reading.beside.empty
    flagged = as_demand(REQUEST, a_reading(values, frame={"is_saturated": at(place)}))
    assert flagged.basis == Basis(saturated=1 / HOURS, at_least=1 / HOURS)
    assert as_demand(a_request(), a_reading(values, frame=columns, target="used_capacity")).basis is None


def test_actual_values_are_what_was_wanted_too() -> None:
    values, peak = by_hour(), 30 * 24
    values[peak] = 10_000
    reading = a_reading(values, {"saturated": at(peak), "pending": at(peak), "used": by_hour()})
    points = actual_points(REQUEST, reading, queue="root.etl", issued_at=MONDAY)
    assert max(point.value or 0 for point in points) == 1.5 * 123


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, HOURS - 1))
def test_what_comes_later_changes_nothing_and_twice_is_once(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    values, held_back, is_known = rng.gamma(2, 100, HOURS), rng.random(HOURS) < 0.3, rng.random(HOURS) < 0.5
    signs = {"saturated": held_back, "pending": np.where(is_known, 1.0, np.nan), "used": values / 2}
    whole = as_demand(REQUEST, a_reading(values, signs)).reading
    other = np.where(np.arange(HOURS) < cut, values, values + 777)
    part = as_demand(REQUEST, a_reading(other, signs)).reading
    assert part.frame[TARGET].iloc[:cut].tolist() == whole.frame[TARGET].iloc[:cut].tolist()
    assert as_demand(REQUEST, whole).reading.frame[TARGET].tolist() == whole.frame[TARGET].tolist()
