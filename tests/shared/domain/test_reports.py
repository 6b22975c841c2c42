"""What is told of a forecast: its peak, and where it is above 100 %."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.reports import above_full, outlook
from tests.factories import MONDAY, a_forecast

HIGH = {"prediction": (100.0, 101.0, 90.0), "lower_bound": (80.0, 90.0, 70.0), "upper_bound": (100.0, 130.0, 100.5)}


def test_a_step_is_likely_above_100_by_its_prediction_possibly_by_its_upper_bound() -> None:
    above = above_full(a_forecast(**HIGH))
    assert above is not None
    assert above.level == 100.0
    assert above.likely == (MONDAY + timedelta(hours=1),)
    assert above.possible == (MONDAY + timedelta(hours=2),)


@pytest.mark.parametrize("metric", ["used_capacity", "queue.usedCapacity", "memory_percent", "cpu_pct"])
def test_percentages_are_told_by_their_name(metric: str) -> None:
    assert above_full(a_forecast(metric=metric)) is not None


@pytest.mark.parametrize("metric", ["used_memory_mb", "absolute_used_capacity", "used_vcores", "y"])
def test_100_means_nothing_to_other_metrics(metric: str) -> None:
    """Of the whole cluster a queue never uses more than 100 %: YARN cuts it off there."""
    assert above_full(a_forecast(metric=metric, **HIGH)) is None


def test_an_outlook_shows_the_first_of_equal_peaks_with_its_bounds() -> None:
    shown = outlook(a_forecast(prediction=(50.0, 60.0, 60.0)))
    assert (shown.issued_at, shown.horizon_steps, shown.model, shown.mape) == (MONDAY, 3, "seasonal_naive", 7.5)
    assert (shown.peak_at, shown.peak_lower_bound, shown.peak, shown.peak_upper_bound) == (
        MONDAY + timedelta(hours=1),
        45.0,
        60.0,
        75.0,
    )
