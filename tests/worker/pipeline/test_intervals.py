"""Bounds from the backtest's errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shared.forecasts import Measures, WindowForecast
from tests.factories import MONDAY
from worker.models.base import FloatArray
from worker.pipeline.intervals import bounds_around, lead_group

NO_MEASURES = Measures(mape=None, wape=None, smape=None, mase=None, rmse=None, skill=None, steps=0, skipped_steps=0)
OPEN = (None, None)


def windows_with(errors: FloatArray) -> list[WindowForecast]:
    """One window per row; NaN = no actual value."""
    return [
        WindowForecast(
            origin_at=MONDAY,
            actual=tuple(None if np.isnan(error) else 50 + error for error in row.tolist()),
            prediction=(50.0,) * len(row),
            measures=NO_MEASURES,
        )
        for row in errors
    ]


@pytest.mark.parametrize(
    ("lead_time", "group"), [(1, 0), (6, 0), (7, 1), (24, 1), (25, 2), (48, 2), (49, 3), (72, 3), (73, 4), (4_320, 180)]
)
def test_lead_times_fall_into_groups(lead_time: int, group: int) -> None:
    assert lead_group(lead_time) == group


errors = arrays(np.float64, (3, 30), elements=st.floats(-1e6, 1e6) | st.just(float("nan")))


@given(errors=errors, level=st.floats(-100, 100), horizon=st.integers(1, 200))
def test_the_prediction_always_lies_within_bounds_that_never_narrow(errors: FloatArray, level: float, horizon: int) -> None:
    prediction = np.full(horizon, level)
    lower, upper = bounds_around(prediction, windows_with(errors), coverage=0.9, bounds=OPEN)
    assert (lower <= prediction).all()
    assert (prediction <= upper).all()
    assert (np.diff(upper) >= 0).all()
    assert (np.diff(lower) <= 0).all()


def test_bounds_are_clipped_to_the_physical_range() -> None:
    prediction = np.array([5.0, 95.0])
    lower, upper = bounds_around(prediction, windows_with(np.full((3, 24), 20.0)), coverage=0.9, bounds=(0.0, 100.0))
    assert lower[0] == 0.0
    assert upper[1] == 100.0


def test_more_coverage_means_wider_bounds() -> None:
    drawn = np.random.default_rng(0).normal(0, 5, (3, 24))
    narrow, wide = (bounds_around(np.zeros(24), windows_with(drawn), coverage=share, bounds=OPEN)[1] for share in (0.5, 0.95))
    assert (narrow < wide).all()


def test_a_winner_without_errors_has_bounds_of_no_width() -> None:
    lower, upper = bounds_around(np.ones(24), windows_with(np.zeros((3, 24))), coverage=0.9, bounds=OPEN)
    assert (lower == upper).all()


def test_without_any_actual_value_there_is_nothing_to_learn_a_width_from() -> None:
    lower, upper = bounds_around(np.ones(3), windows_with(np.full((1, 3), np.nan)), coverage=0.9, bounds=OPEN)
    assert (lower == upper).all()


def test_beyond_the_windows_the_bounds_go_on_growing() -> None:
    _, upper = bounds_around(np.zeros(72), windows_with(np.full((1, 24), 10.0)), coverage=0.9, bounds=OPEN)
    assert upper[23] < upper[24] < upper[48]


def test_errors_of_the_same_kind_are_covered_as_asked() -> None:
    """On unseen normal errors: 2,000 forecasts of 24 steps, each with bounds from three windows of its own."""
    draw = np.random.default_rng(1)
    covered = []
    for _ in range(2_000):
        scale = draw.uniform(1, 20)
        lower, upper = bounds_around(np.full(24, 50.0), windows_with(draw.normal(0, scale, (3, 24))), coverage=0.9, bounds=OPEN)
        actual = 50 + draw.normal(0, scale, 24)
        covered.append(((lower <= actual) & (actual <= upper)).mean())
    assert 0.9 <= np.mean(covered) <= 0.95  # above 0.9 by the allowance for selection, which this test does not make
