"""Gaps are filled from what was known, never with zero, and never from what comes after the frame."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import a_load
from worker.prepare.gaps import fill_gaps, gap_runs

HOUR = 3_600


def a_frame(*values: float, step_seconds: int = HOUR) -> pd.DataFrame:
    times = pd.date_range("2026-01-05", periods=len(values), freq=f"{step_seconds}s", tz="UTC")
    return pd.DataFrame({"used_capacity": np.array(values, dtype=np.float64)}, index=times)


def filled(frame: pd.DataFrame, step_seconds: int = HOUR) -> list[float]:
    return fill_gaps(frame, step_seconds)["used_capacity"].tolist()


def with_gap(first: int, end: int, *, hours: int = 96) -> tuple[pd.DataFrame, np.ndarray]:
    whole = a_load(hours).to_frame()
    values = whole.used_capacity.to_numpy().copy()
    whole.iloc[first:end, 0] = np.nan
    return whole, values


def test_a_gap_of_up_to_6_steps_is_a_straight_line():
    nan = np.nan
    assert filled(a_frame(1, nan, nan, nan, 5)) == [1, 2, 3, 4, 5]
    frame, values = with_gap(50, 56)
    assert filled(frame)[50:56] == pytest.approx(np.linspace(values[49], values[56], 8)[1:-1])


def test_a_longer_gap_takes_the_same_hour_of_the_previous_day():
    frame, values = with_gap(50, 57)
    assert filled(frame)[50:57] == values[26:33].tolist()


def test_a_day_that_was_filled_itself_is_the_previous_day_of_the_next_gap():
    frame, values = with_gap(30, 50)
    frame.iloc[54:70, 0] = np.nan
    assert filled(frame)[54:70] == values[6:22].tolist()


def test_a_long_gap_within_the_first_day_is_a_straight_line():
    frame, values = with_gap(5, 15)
    assert filled(frame)[5:15] == pytest.approx(np.linspace(values[4], values[15], 12)[1:-1])


def test_a_gap_at_the_end_takes_the_same_hour_of_the_previous_day_however_short():
    frame, values = with_gap(94, 96)
    assert filled(frame)[94:] == values[70:72].tolist()


def test_a_gap_at_the_end_of_the_first_day_keeps_the_last_value():
    assert filled(a_frame(1, 3, np.nan, np.nan)) == [1, 3, 3, 3]


def test_a_gap_at_the_start_is_dropped():
    frame = fill_gaps(a_frame(np.nan, np.nan, 3, 4), HOUR)
    assert frame.index[0] == pd.Timestamp("2026-01-05T02:00Z")
    assert frame.used_capacity.tolist() == [3, 4]


def test_another_column_repeats_its_first_value_backwards():
    frame = a_frame(np.nan, 1, 2, 3).assign(memory=[np.nan, np.nan, np.nan, 7])
    assert fill_gaps(frame, HOUR).memory.tolist() == [7, 7, 7]


def test_a_column_without_a_value_stays_empty_and_such_a_target_leaves_nothing():
    assert fill_gaps(a_frame(1, 2).assign(memory=np.nan), HOUR).memory.isna().all()
    assert fill_gaps(a_frame(np.nan, np.nan), HOUR).empty


def test_a_step_that_does_not_divide_the_day_knows_no_same_hour():
    seven_hours = a_frame(*range(10), *[np.nan] * 8, 18, step_seconds=25_200)
    assert filled(seven_hours, 25_200) == pytest.approx(list(range(19)))


def test_steps_of_a_day_and_of_a_week():
    for step_seconds in (86_400, 604_800):
        assert filled(a_frame(1, np.nan, 3, np.nan, step_seconds=step_seconds), step_seconds) == [1, 2, 3, 3]


def test_the_input_is_left_untouched():
    frame, _ = with_gap(50, 57)
    before = frame.copy()
    fill_gaps(frame, HOUR)
    pd.testing.assert_frame_equal(frame, before)


@given(st.lists(st.booleans(), max_size=40))
def test_runs_are_the_runs(missing):
    runs = list(gap_runs(np.array(missing, dtype=bool)))
    rebuilt = np.zeros(len(missing), dtype=bool)
    for first, end in runs:
        assert first < end
        rebuilt[first:end] = True
    assert rebuilt.tolist() == missing
    assert all(left_end < first for (_, left_end), (first, _) in pairwise(runs))


@given(
    cutoff=st.integers(2, 95),
    gaps=st.lists(st.tuples(st.integers(1, 95), st.integers(1, 30)), max_size=6),
    seed=st.integers(0, 9),
)
def test_nothing_after_the_cutoff_is_seen(cutoff, gaps, seed):
    frame = a_load(96).to_frame()
    for first, length in gaps:
        frame.iloc[first : first + length, 0] = np.nan
    changed = frame.copy()
    changed.iloc[cutoff:, 0] = np.random.default_rng(seed).normal(1e6, 1e5, 96 - cutoff)
    before, after = fill_gaps(frame.iloc[:cutoff], HOUR), fill_gaps(changed.iloc[:cutoff], HOUR)
    pd.testing.assert_frame_equal(before, after)
    assert before.notna().all(axis=None)
    assert (before > 0).all(axis=None)
