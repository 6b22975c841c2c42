"""Baselines and medians: each number can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.worker.models.histories import DAY, HOUR, an_extent, forecast_of
from worker.models import models
from worker.models.baseline_models import SeasonalNaive

of_the_hour = pytest.mark.parametrize(("name", "middle"), [("hour_mean", np.mean), ("hour_median", np.median)])


def test_last_value_repeats_the_newest_value() -> None:
    assert forecast_of("last_value", np.array([1, 5, 3]), 2) == [3, 3]


@pytest.mark.parametrize("days", [1, 7])
def test_seasonal_naive_repeats_the_last_days_exactly(days: int) -> None:
    target = np.random.default_rng(0).normal(size=200)
    season = target[-24 * days :].tolist()
    assert forecast_of("seasonal_naive", target, 24 * days + 5, days=days) == season + season[:5]


def test_seasonal_naive_says_how_much_history_its_days_need() -> None:
    assert SeasonalNaive(days=7).missing(an_extent(120)) == "it needs 168 steps of history, found 120"


@pytest.mark.parametrize(
    ("step_seconds", "days", "season"),
    [(DAY, 7, 7), (7 * HOUR, 7, 24), (5 * DAY, 1, 1), (5 * DAY, 7, 1)],
    ids=["a day", "7 hours", "5 days, 1 day back", "5 days, 7 days back"],
)
def test_seasonal_naive_counts_days_in_steps_of_any_length(step_seconds: int, days: int, season: int) -> None:
    target = np.arange(40)
    assert forecast_of("seasonal_naive", target, season, step_seconds=step_seconds, days=days) == target[-season:].tolist()


@of_the_hour
def test_each_hour_is_the_middle_of_the_same_hour_of_the_last_days(name: str, middle: Callable[..., float]) -> None:
    target = np.random.default_rng(0).normal(size=9 * 24 + 5)
    expected = [middle([target[len(target) + step - 24 * day] for day in range(1, 8)]) for step in range(24)]
    assert forecast_of(name, target, 48) == pytest.approx(expected * 2)


@of_the_hour
def test_the_whole_days_that_are_there_are_taken(name: str, middle: Callable[..., float]) -> None:
    target = np.concatenate([np.full(5, 1_000), np.full(24, 10), np.full(24, 12), np.full(24, 92)])
    assert forecast_of(name, target, 3, days=14) == [middle([10, 12, 92])] * 3


@of_the_hour
def test_of_daily_steps_it_is_the_middle_of_seven_days(name: str, middle: Callable[..., float]) -> None:
    assert forecast_of(name, np.arange(30), 2, step_seconds=DAY) == [middle(np.arange(23, 30))] * 2


def test_recent_median_is_one_value_that_a_burst_does_not_move() -> None:
    target = np.concatenate([np.full(200, 50), [3, 3, 3, 90, 90, 3]])
    assert forecast_of("recent_median", target, 2, hours=6) == [3, 3]
    assert forecast_of("recent_median", target, 2, hours=168) == [50, 50]


@pytest.mark.parametrize(("hours", "expected"), [(6, 9), (24, 9), (72, 8)])
def test_recent_median_counts_hours_in_steps_of_any_length(hours: int, expected: float) -> None:
    assert forecast_of("recent_median", np.arange(10), 1, step_seconds=DAY, hours=hours) == [expected]


@pytest.mark.parametrize("name", ["seasonal_naive", "hour_mean", "hour_median", "recent_median"])
def test_less_than_a_day_is_refused(name: str) -> None:
    reason = models[name]().missing(an_extent(23))
    assert reason is not None
    assert "24 steps" in reason
    assert "found 23" in reason
    assert models[name]().missing(an_extent(24)) is None


@pytest.mark.parametrize(("fade", "weekday", "expected"), [(0.9, 1.0, 1.0), (0.4, 1.0, 3.0), (0.9, 100.0, 9.0)])
def test_the_fading_median_counts_newer_days_and_the_same_weekday_more(fade: float, weekday: float, expected: float) -> None:
    """Eight days of one value each; the day ahead is the weekday of the second one."""
    days = np.repeat([1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3.0], 24)
    assert forecast_of("fading_median", days, 24, fade=fade, weekday=weekday) == [expected] * 24
