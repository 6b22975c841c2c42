"""Bounds from the backtest's errors."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from shared.domain.forecasts import Measures, WindowForecast
from tests.factories import MONDAY
from worker.models.base import FloatArray
from worker.pipeline.intervals import half_widths, prediction_interval

NO_MEASURES = Measures(mape=None, wape=None, smape=None, mase=None, rmse=None, skill=None, steps=0, skipped_steps=0)
OPEN = (None, None)


HOUR = 3_600


def windows_of(errors: FloatArray) -> list[WindowForecast]:
    """A backtest that predicted 50 and missed by these errors; NaN = gap."""
    return [
        WindowForecast(
            origin_at=MONDAY + timedelta(days=number),
            actual=tuple(None if np.isnan(error) else 50.0 + error for error in row.tolist()),
            prediction=(50.0,) * errors.shape[1],
            measures=NO_MEASURES,
        )
        for number, row in enumerate(errors)
    ]


def noise(windows: int, steps: int, seed: int = 1) -> FloatArray:
    return np.random.default_rng(seed).normal(0, 3, (windows, steps))


errors_of_any_shape = st.tuples(st.integers(1, 4), st.integers(1, 80)).flatmap(
    lambda shape: arrays.arrays(np.float64, shape, elements=st.floats(-1e6, 1e6))
)


@given(errors=errors_of_any_shape, horizon=st.integers(1, 100), coverage=st.floats(0.05, 0.99))
def test_bounds_enclose_the_prediction_and_part_with_lead_time(errors: FloatArray, horizon: int, coverage: float) -> None:
    prediction = np.linspace(0, 100, horizon)
    lower, upper = prediction_interval(prediction, windows_of(errors), level=coverage, physical_range=OPEN, step_seconds=HOUR)
    assert np.isfinite([lower, upper]).all()
    assert (lower <= prediction).all()
    assert (prediction <= upper).all()
    half = half_widths(np.abs(errors), horizon, coverage, HOUR)
    assert (np.diff(half) >= -1e-9 * half.max()).all()


def test_a_higher_coverage_asks_for_wider_bounds() -> None:
    errors = np.abs(noise(3, 24))
    narrow, middle, wide = (half_widths(errors, 24, coverage, HOUR) for coverage in (0.5, 0.8, 0.95))
    assert (narrow < middle).all()
    assert (middle < wide).all()


def test_bounds_are_clipped_like_the_prediction() -> None:
    prediction = np.array([0.0, 50.0, 100.0])
    lower, upper = prediction_interval(
        prediction, windows_of(noise(3, 3) * 10), level=0.9, physical_range=(0.0, 100.0), step_seconds=HOUR
    )
    assert lower[0] == 0.0
    assert upper[2] == 100.0
    assert lower[1] < 50.0 < upper[1]


def test_early_steps_are_surer_than_late_ones_and_late_ones_never_surer_again() -> None:
    errors = np.abs(noise(3, 72))
    errors[:, :6] /= 10
    errors[:, 48:] /= 10
    half = half_widths(errors, 72, 0.9, HOUR)
    assert half[0] < half[10]
    assert half[30] == half[60]


def test_groups_of_lead_times_are_of_time_not_of_steps() -> None:
    errors = np.abs(noise(3, 24))
    errors[:, :12] /= 10
    half = half_widths(errors, 24, 0.9, HOUR // 2)
    assert half[0] == half[11] < half[12]


def test_there_is_no_hole_at_the_seam_where_the_backtest_ends() -> None:
    half = half_widths(np.abs(noise(1, 40)), 72, 0.9, HOUR)
    assert 1 < half[40] / half[39] < 1.02
    assert half[71] / half[39] == pytest.approx((72 / 40) ** 0.25)


def test_fewer_windows_are_trusted_less() -> None:
    errors = np.abs(noise(1, 24))
    assert half_widths(errors, 24, 0.9, HOUR)[0] > half_widths(np.repeat(errors, 3, axis=0), 24, 0.9, HOUR)[0]


def test_one_residual_gives_bounds_wider_than_itself() -> None:
    assert half_widths(np.array([[2.0]]), 1, 0.9, HOUR)[0] > 2.0


def test_gaps_do_not_count_as_errors() -> None:
    errors = noise(3, 24)
    errors[1, 3:9] = np.nan
    errors[:, :6] = np.nan  # not even where a whole group is one
    half = half_widths(np.abs(errors), 24, 0.9, HOUR)
    assert np.isfinite(half).all()
    assert (half > 0).all()


@pytest.mark.parametrize("errors", [np.zeros((3, 5)), np.full((1, 5), np.nan)], ids=["it never missed", "no actual value"])
def test_where_no_error_is_known_bounds_have_no_width(errors: FloatArray) -> None:
    lower, upper = prediction_interval(np.full(5, 7.0), windows_of(errors), level=0.9, physical_range=OPEN, step_seconds=HOUR)
    assert lower.tolist() == upper.tolist() == [7.0] * 5


def test_bounds_follow_the_unit_of_the_target() -> None:
    errors = np.abs(noise(3, 24))
    assert half_widths(errors * 1e9, 24, 0.9, HOUR) == pytest.approx(half_widths(errors, 24, 0.9, HOUR) * 1e9)


def test_independent_errors_are_covered_at_least_as_often_as_asked() -> None:
    hits = [
        np.abs(noise(1, 24, seed=1_000 + seed)[0]) <= half_widths(np.abs(noise(3, 24, seed=seed)), 24, 0.9, HOUR)
        for seed in range(200)
    ]
    assert 0.9 <= np.mean(hits) <= 0.99
