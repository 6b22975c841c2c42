"""A level that changed in the last days is found; what seasons and bursts do is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from worker.prepare.calendar import on_weekend
from worker.prepare.level import _medians, find_shift

HOUR = 3_600


def times(days: int, *, end: str = "2026-01-08") -> pd.DatetimeIndex:
    return pd.date_range(end=pd.Timestamp(end) - pd.Timedelta(hours=1), periods=days * 24, freq="1h")


def a_wave(index: pd.DatetimeIndex, *, weekend: float = 0.0, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1.5, len(index))
    return np.asarray(42 + 8 * np.sin((index.hour - 9) / 24 * 2 * np.pi) - weekend * (index.dayofweek >= 5) + noise)


@pytest.mark.parametrize(
    ("days", "hours"), [(days, hours) for days in (3, 5, 8, 14, 28) for hours in (9, 12, 24, 40, 70) if hours <= 24 * (days - 2)]
)
@pytest.mark.parametrize("form", ["sum", "factor"])
def test_a_change_of_level_is_found_where_it_is(days: int, hours: int, form: str) -> None:
    index = times(days, end="2026-01-10")  # a Saturday
    values = a_wave(index)
    values[-hours:] = values[-hours:] + 34 if form == "sum" else 1.8 * values[-hours:]
    shift = find_shift(values, on_weekend(index), HOUR)
    assert shift is not None
    assert len(values) - shift.first == hours
    moved = shift.moved(values)
    assert moved[: shift.first].mean() == pytest.approx(76, abs=4)
    assert moved[shift.first :].tolist() == values[shift.first :].tolist()
    if form == "factor" and hours >= 24:
        assert np.ptp(moved[: shift.first]) > 1.5 * np.ptp(values[: shift.first])  # the season grows with it


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("days", [3, 5, 7, 10, 14, 28])
@pytest.mark.parametrize("end", ["2026-01-04", "2026-01-05", "2026-01-06", "2026-01-08", "2026-01-10"])
def test_neither_noise_nor_a_quiet_weekend_is_a_change_of_level(days: int, end: str, seed: int) -> None:
    index = times(days, end=end)
    assert find_shift(a_wave(index, weekend=20, seed=seed), on_weekend(index), HOUR) is None


@pytest.mark.parametrize("end", ["2026-02-11 15:00", "2026-02-14 09:00", "2026-02-16 12:00"])  # Wednesday, Saturday, Monday
@pytest.mark.parametrize(("days", "weekend"), [(14, 0.6), (28, 0.5), (28, 0.3)])
@pytest.mark.parametrize("change", [30.0, -20.0])
def test_a_change_stands_out_from_what_weekends_do_and_is_dated_to_the_hour(
    end: str, days: int, weekend: float, change: float
) -> None:
    index = times(days, end=end)
    noise = np.random.default_rng(days).normal(0, 3, (len(index)))
    wave = (40 + 15 * np.sin((index.hour - 6) / 24 * 2 * np.pi)) * np.where(index.dayofweek >= 5, weekend, 1)
    for hours in (9, 24, 48):
        since = np.arange(len(index)) >= len(index) - hours
        shift = find_shift(np.asarray(wave + change * since + noise), on_weekend(index), HOUR)
        assert shift is not None
        assert len(index) - shift.first == pytest.approx(hours, abs=1)


@pytest.mark.parametrize("weekend", [1.0, 0.8, 0.6, 0.3])
def test_ordinary_weeks_of_many_queues_have_no_change_of_level(weekend: float) -> None:
    for seed in range(40):
        index = times((7, 8, 10, 14, 28)[seed % 5], end=f"2026-02-{9 + seed % 7:02} {(seed * 5) % 24:02}:00")
        wave = (40 + 15 * np.sin((index.hour - 6) / 24 * 2 * np.pi)) * np.where(index.dayofweek >= 5, weekend, 1)
        values = np.asarray(wave) + np.random.default_rng(seed).normal(0, 3, len(index))
        assert find_shift(values, on_weekend(index), HOUR) is None


def test_neither_are_bursts_like_those_before_a_trend_or_an_hour() -> None:
    index = times(14)
    bursts = a_wave(index)
    for start in (60, 130, 200, 290, 326):
        bursts[start : start + 10] += 60
    assert find_shift(bursts, on_weekend(index), HOUR) is None
    assert find_shift(a_wave(index) + np.linspace(0, 20, len(index)), on_weekend(index), HOUR) is None
    late = a_wave(index)
    late[-4:] += 40
    assert find_shift(late, on_weekend(index), HOUR) is None


def test_where_no_day_before_tells_nothing_is_found() -> None:
    index = times(2)
    values = a_wave(index)
    values[-12:] += 40
    assert find_shift(values, on_weekend(index), HOUR) is None
    assert (
        find_shift(np.repeat([1.0, 50.0], 20), on_weekend(pd.date_range("2026-01-01", periods=40, freq="7h")), 7 * HOUR) is None
    )
    assert (
        find_shift(np.repeat([1.0, 50.0], 20), on_weekend(pd.date_range("2026-01-01", periods=40, freq="1D")), 24 * HOUR) is None
    )


@pytest.mark.parametrize("hours", [9, 30, 50])
def test_of_what_has_not_moved_since_nothing_else_is_left(hours: int) -> None:
    index = times(14)
    values = a_wave(index)
    values[-hours:] = 2.5
    shift = find_shift(values, on_weekend(index), HOUR)
    assert shift is not None
    assert (len(values) - shift.first, set(shift.moved(values).tolist())) == (hours, {2.5})


@pytest.mark.parametrize("hours", [2, 5, 7, 30])
def test_a_series_at_rest_may_leave_it_for_another_value_within_hours(hours: int) -> None:
    index = times(14)
    values = np.full(len(index), 30.0)
    values[-hours:] = 45.0
    shift = find_shift(values, on_weekend(index), HOUR)
    assert shift is not None
    assert (len(values) - shift.first, shift.before, set(shift.moved(values).tolist())) == (hours, 30.0, {45.0})
    values[100:103] = 45.0  # a burst that went away again
    assert hours >= 8 or find_shift(values, on_weekend(index), HOUR) is None
    values[100:103], values[-1] = 30.0, 30.0  # it is over
    assert hours >= 8 or find_shift(values, on_weekend(index), HOUR) is None


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 1.0])
def test_medians_without_each_value_are_those_of_the_others(share: float) -> None:
    rng = np.random.default_rng(5)
    table = rng.integers(0, 9, (24, 13)).astype(np.float64)
    counts = rng.uniform(0, 1, table.shape) < share
    of_all, of_others = _medians(table, [np.ones_like(counts), counts])
    for way, counted in enumerate([np.ones_like(counts), counts]):
        for row, column in np.ndindex(table.shape):
            own = [value for at, value in enumerate(table[row]) if counted[row, at]]
            assert of_all[way, row] == np.median(own) if own else np.isnan(of_all[way, row])
            if counted[row, column]:
                own.remove(table[row, column])
                assert of_others[way, row, column] == np.median(own) if own else np.isnan(of_others[way, row, column])
