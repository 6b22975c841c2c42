"""What would have been expected at a step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from worker.prepare.expectation import expected_values

HOUR = 3_600


def times(days: int) -> pd.DatetimeIndex:
    return pd.date_range("2026-01-05", periods=days * 24, freq="1h")  # from Monday


def wave(index: pd.DatetimeIndex, *, weekend: float = 0.0) -> np.ndarray:
    return np.asarray(50 + 20 * np.sin(index.hour / 24 * 2 * np.pi) - weekend * (index.dayofweek >= 5))


@pytest.mark.parametrize(("days", "weekend"), [(5, 0.0), (14, 0.0), (14, 30.0), (28, 30.0)])
@pytest.mark.parametrize("day", [2, 4])
def test_it_is_the_same_hour_of_like_days_around(days: int, weekend: float, day: int) -> None:
    index = times(days)
    values = wave(index, weekend=weekend)
    is_ordinary = np.asarray(index.dayofyear != index.dayofyear[0] + day)
    seen = np.where(is_ordinary, values, 5.0)
    assert expected_values(seen, is_ordinary, index, HOUR) == pytest.approx(values)


def test_of_a_week_with_a_rhythm_of_its_own_it_is_the_same_day_of_other_weeks() -> None:
    index = times(28)
    values = wave(index) + 10.0 * np.asarray(index.dayofweek)
    is_ordinary = np.asarray(index.dayofyear != 5 + 16)
    assert expected_values(values, is_ordinary, index, HOUR)[16 * 24 : 17 * 24] == pytest.approx(values[16 * 24 : 17 * 24])


def test_where_no_other_day_tells_anything_it_is_unknown() -> None:
    index = times(3)
    values = wave(index)
    assert np.isnan(expected_values(values, np.zeros(72, dtype=bool), index, HOUR)).all()
    assert np.isnan(expected_values(values, np.ones(72, dtype=bool), index, 7 * HOUR)).all()
    assert np.isnan(expected_values(values[:10], np.ones(10, dtype=bool), index[:10], HOUR)).all()
