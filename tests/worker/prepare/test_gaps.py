"""Gaps are filled from what was known, never with zero, and never from what comes after the frame."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.durations import Duration
from shared.domain.samples import Fill, FillMethod
from tests.factories import a_load
from worker.prepare.gaps import fill_gaps, gap_runs, ways_of_filling

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


@pytest.mark.parametrize(("first", "end"), [(50, 51), (50, 56), (5, 15)], ids=["1 step", "6 steps", "within the first day"])
def test_a_short_gap_and_one_without_a_day_before_are_a_straight_line(first, end):
    frame, values = with_gap(first, end)
    line = np.linspace(values[first - 1], values[end], end - first + 2)[1:-1]
    assert filled(frame)[first:end] == pytest.approx(line)


@pytest.mark.parametrize(("first", "end"), [(50, 57), (94, 96)], ids=["7 steps", "at the end, however short"])
def test_a_longer_gap_and_one_at_the_end_take_the_same_hour_of_the_previous_day(first, end):
    frame, values = with_gap(first, end)
    assert filled(frame)[first:end] == values[first - 24 : end - 24].tolist()
    assert filled(a_frame(1, 3, np.nan, np.nan)) == [1, 3, 3, 3]  # on the first day, the last value


def test_a_day_that_was_filled_itself_is_the_previous_day_of_the_next_gap():
    frame, values = with_gap(30, 50)
    frame.iloc[54:70, 0] = np.nan
    assert filled(frame)[54:70] == values[6:22].tolist()


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


@given(st.lists(st.booleans(), max_size=40))
def test_runs_are_the_runs(missing):
    runs = list(gap_runs(np.array(missing, dtype=bool)))
    rebuilt = np.zeros(len(missing), dtype=bool)
    for first, end in runs:
        assert first < end
        rebuilt[first:end] = True
    assert rebuilt.tolist() == missing
    assert all(left_end < first for (_, left_end), (first, _) in pairwise(runs))


@given(gaps=st.lists(st.tuples(st.integers(1, 95), st.integers(1, 30)), max_size=6))
def test_every_gap_is_filled_never_with_zero_and_the_input_is_left_untouched(gaps):
    frame = a_load(96).to_frame()
    for first, length in gaps:
        frame.iloc[first : first + length, 0] = np.nan
    before = frame.copy()
    assert (fill_gaps(frame, HOUR) > 0).all(axis=None)
    pd.testing.assert_frame_equal(frame, before)


DAYS = [float(hour) for hour in range(1, 49)]


@pytest.mark.parametrize(
    ("fill", "gap", "expected"),
    [
        (Fill(), 3, [28.0, 29.0, 30.0]),
        (Fill(), 8, [float(value) for value in range(4, 12)]),
        (Fill(method=FillMethod.INTERPOLATE), 8, [float(value) for value in range(28, 36)]),
        (Fill(method=FillMethod.PREVIOUS_DAY), 3, [4.0, 5.0, 6.0]),
        (Fill(method=FillMethod.PREVIOUS_DAY, longest=Duration(2, "h")), 3, [np.nan] * 3),
        (Fill(longest=Duration(3, "h")), 3, [28.0, 29.0, 30.0]),
        (Fill(method=FillMethod.NONE), 1, [np.nan]),
    ],
)
def test_a_gap_is_filled_as_it_is_asked_for(fill: Fill, gap: int, expected: list[float]) -> None:
    values = [*DAYS[:27], *[np.nan] * gap, *DAYS[27 + gap :]]
    filled = fill_gaps(a_frame(*values), HOUR, fill)["used_capacity"].tolist()
    assert filled[27 : 27 + gap] == pytest.approx(expected, nan_ok=True)
    ways = ways_of_filling(np.isnan(np.array(values)), HOUR, fill)
    assert sum(ways.values()) == sum(not np.isnan(value) for value in expected)


def test_with_lines_only_the_end_keeps_its_last_value() -> None:
    frame = a_frame(*DAYS[:40], np.nan, np.nan)
    assert fill_gaps(frame, HOUR, Fill(method=FillMethod.INTERPOLATE))["used_capacity"].tolist()[-2:] == [40.0, 40.0]
    assert fill_gaps(frame, HOUR)["used_capacity"].tolist()[-2:] == [17.0, 18.0]
