"""Medians: each number can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.worker.models.histories import DAY, an_extent, forecast_of
from worker.models import models


def test_hour_median_takes_the_middle_of_the_same_hour_of_the_last_days() -> None:
    target = np.random.default_rng(0).normal(size=9 * 24 + 5)
    expected = [np.median([target[len(target) + step - 24 * day] for day in range(1, 8)]) for step in range(24)]
    assert forecast_of("hour_median", target, 48) == pytest.approx(expected * 2)


def test_hour_median_takes_the_whole_days_that_are_there() -> None:
    target = np.concatenate([np.full(5, 1_000), np.full(24, 10), np.full(24, 12), np.full(24, 90)])
    assert forecast_of("hour_median", target, 3, days=14) == [12, 12, 12]


def test_hour_median_of_daily_steps_is_the_median_of_seven_days() -> None:
    assert forecast_of("hour_median", np.arange(30), 2, step_seconds=DAY) == [26, 26]


def test_one_odd_day_does_not_move_hour_median() -> None:
    days = np.tile(np.arange(24), 7)
    odd = days.copy()
    odd[48:72] = 1_000
    assert forecast_of("hour_median", odd, 24) == forecast_of("hour_median", days, 24)


def test_recent_median_is_one_value_that_a_burst_does_not_move() -> None:
    target = np.concatenate([np.full(200, 50), [3, 3, 3, 90, 90, 3]])
    assert forecast_of("recent_median", target, 2, hours=6) == [3, 3]
    assert forecast_of("recent_median", target, 2, hours=168) == [50, 50]


@pytest.mark.parametrize(("hours", "expected"), [(6, 9), (24, 9), (72, 8)])
def test_recent_median_counts_hours_in_steps_of_any_length(hours: int, expected: float) -> None:
    assert forecast_of("recent_median", np.arange(10), 1, step_seconds=DAY, hours=hours) == [expected]


@pytest.mark.parametrize("name", ["hour_median", "recent_median"])
def test_less_than_a_day_is_refused(name: str) -> None:
    assert models[name]().missing(an_extent(23)) == "it needs a day of history: 24 steps, found 23"
    assert models[name]().missing(an_extent(24)) is None
