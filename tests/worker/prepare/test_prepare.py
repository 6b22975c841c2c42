"""A training part as models want it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from shared.errors import EmptySeries
from tests.factories import MONDAY, a_load
from worker.prepare import Prepared, prepare

HOUR = 3_600


def a_frame() -> pd.DataFrame:
    """Ten days with companions, a short gap, a long one and one at the end."""
    load = a_load(240)
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"used_capacity": load, "absolute": load * 3, "memory": rng.normal(50, 5, 240), "limit": 100.0})
    frame.iloc[40:43, 0] = np.nan
    frame.iloc[100:112] = np.nan
    frame.iloc[-4:, 0] = np.nan
    return frame


def prepared(frame: pd.DataFrame, **changes: object) -> Prepared:
    values = {"target": "used_capacity", "horizon": 24, "step_seconds": HOUR, "timezone": "UTC", "holidays": None}
    return prepare(frame, **(values | changes))  # type: ignore[arg-type]


def test_everything_a_model_needs_is_finite_and_of_one_length():
    part = prepared(a_frame())
    assert part.target.shape == (240,)
    assert part.companions.shape == (240, 1)
    assert len(part.calendar) == len(part.times) == 264
    assert np.isfinite(part.target).all()
    assert np.isfinite(part.companions).all()
    assert part.times[240] == pd.Timestamp(MONDAY)


def test_a_target_alone_has_companions_of_no_columns():
    assert prepared(a_frame()[["used_capacity"]]).companions.shape == (240, 0)


def test_steps_before_the_first_value_are_left_out():
    frame = a_frame()
    frame.iloc[:5, 0] = np.nan
    part = prepared(frame)
    assert len(part.target) == 235
    assert part.times[0] == frame.index[5]


def test_holidays_reach_into_the_horizon():
    tomorrow = MONDAY.date() + timedelta(days=1)
    part = prepared(a_frame(), horizon=48, holidays=(tomorrow, date(2030, 1, 1)))
    assert part.holidays == (tomorrow.isoformat(),)
    assert part.calendar.is_holiday.sum() == 24


def test_a_training_part_without_a_value_is_empty():
    with pytest.raises(EmptySeries, match="found 240 steps without a value of 'used_capacity'"):
        prepared(a_frame().assign(used_capacity=np.nan))


def test_nothing_after_the_origin_is_seen():
    frame, changed = a_frame(), a_frame()
    changed.iloc[105:] = np.random.default_rng(0).normal(1e6, 1e3, (135, 4))
    for origin in (41, 80, 105):
        before, after = prepared(frame.iloc[:origin]), prepared(changed.iloc[:origin])
        np.testing.assert_array_equal(before.target, after.target)
        np.testing.assert_array_equal(before.companions, after.companions)
        pd.testing.assert_frame_equal(before.calendar, after.calendar)
