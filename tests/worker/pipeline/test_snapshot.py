"""From what a source gave to a regular series: where it starts, where it ends, what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.durations import Duration
from shared.domain.samples import Fill, FillMethod
from shared.domain.timegrid import TimeGrid, from_epoch
from shared.errors import EmptySeries, SeriesTooShort
from tests.factories import MONDAY, a_load
from worker.pipeline.snapshot import Snapshot, make_snapshot
from worker.prepare.gaps import USUAL

HOUR = 3_600


def taken(
    frame: pd.DataFrame, *, issued_at: datetime = MONDAY, step_seconds: int = HOUR, fill: Fill = USUAL
) -> tuple[Snapshot, tuple[str, ...]]:
    steps = {"grid": TimeGrid(step_seconds), "issued_at": issued_at, "fill": fill}
    return make_snapshot(frame, queue="root.etl", target="used_capacity", **steps)  # type: ignore[arg-type]


def without(first: int, end: int, *, hours: int = 240) -> pd.DataFrame:
    """Ten days up to MONDAY, without the rows `first` … `end` − 1."""
    frame = a_load(hours).to_frame()
    return frame.drop(frame.index[first:end])


def test_a_whole_series_is_taken_as_it_is():
    frame = a_load(240).to_frame()
    snapshot, notes = taken(frame)
    pd.testing.assert_frame_equal(snapshot.frame, frame, check_freq=False)
    assert snapshot.length == 240
    assert snapshot.start_at == MONDAY - timedelta(days=10)
    assert snapshot.end_at == MONDAY
    assert notes == ()


@pytest.mark.parametrize(("first", "end"), [(50, 60), (100, 124)])
def test_absent_steps_become_gaps_up_to_a_day_and_the_input_is_left_untouched(first, end):
    frame = without(first, end)
    before = frame.copy()
    snapshot, notes = taken(frame)
    assert snapshot.length == 240
    assert snapshot.frame.used_capacity.isna().to_numpy().nonzero()[0].tolist() == list(range(first, end))
    assert notes == ()
    pd.testing.assert_frame_equal(frame, before)


def test_the_series_starts_with_its_first_value_after_the_last_gap_longer_than_a_day():
    snapshot, notes = taken(without(100, 125))
    assert snapshot.length == 240 - 125
    assert notes == ("the series starts at 2025-12-31 05:00 UTC, after its last gap longer than a day",)
    two_gaps = without(30, 60)
    two_gaps.iloc[70:100, 0] = np.nan  # rows 100 … 129 of the ten days
    assert taken(two_gaps)[0].length == 110
    late = without(0, 0)
    late.iloc[:7, 0] = np.nan
    assert taken(late)[0].start_at == MONDAY - timedelta(hours=233)


TOO_OLD = r"queue root\.etl.*ends at 2026-01-03 23:00 UTC, more than a day before 2026-01-05 00:00.*`as_of`"


@pytest.mark.parametrize(
    ("frame", "error", "said"),
    [
        (without(215, 240), EmptySeries, TOO_OLD),
        (
            without(0, 0).assign(used_capacity=np.nan),
            EmptySeries,
            "found no value of 'used_capacity' before 2026-01-05 00:00 UTC",
        ),
        (without(0, 238), SeriesTooShort, "found 2 steps with a value, at least 3 are needed"),
        (without(100, 238), SeriesTooShort, "found 2 steps with a value after the last gap longer than a day"),
    ],
    ids=["too old", "no value", "2 values", "2 values after a gap"],
)
def test_a_series_of_too_little_is_refused_with_what_was_found(frame, error, said):
    with pytest.raises(error, match=said):
        taken(frame)


def test_three_values_are_enough_and_only_those_before_the_issue_count():
    assert taken(a_load(3).to_frame())[0].length == 3
    with pytest.raises(EmptySeries, match="found no value"):
        taken(a_load(48).to_frame(), issued_at=MONDAY - timedelta(days=30))


def test_a_series_that_stops_early_is_a_gap_up_to_the_issue():
    snapshot, _ = taken(without(220, 240))
    assert snapshot.end_at == MONDAY
    assert snapshot.frame.used_capacity.isna().to_numpy()[-20:].all()


def test_what_starts_at_the_issue_or_later_is_not_looked_at():
    frame = a_load(240).to_frame()
    before = MONDAY - timedelta(hours=100)
    changed = frame.copy()
    changed.loc[before:] = np.nan
    pd.testing.assert_frame_equal(taken(frame, issued_at=before)[0].frame, taken(changed, issued_at=before)[0].frame)
    assert taken(frame, issued_at=before)[0].end_at == before


def test_the_target_comes_first_and_columns_without_a_value_go():
    load = a_load(48)
    frame = pd.DataFrame({"memory": load * 2, "broken": np.nan, "used_capacity": load, "count": 1})
    snapshot, notes = taken(frame)
    assert list(snapshot.frame) == ["used_capacity", "count", "memory"]
    assert all(snapshot.frame.dtypes == np.float64)
    assert notes == ("column 'broken' has no value in the history and was left out",)


@pytest.mark.parametrize("days", [1, 2, 7])
def test_a_single_missing_step_is_never_a_long_gap(days):
    step_seconds = days * 86_400
    end = from_epoch(int(MONDAY.timestamp()) // step_seconds * step_seconds)
    times = pd.date_range(end=end - timedelta(days=days), periods=10, freq=f"{step_seconds}s")
    frame = pd.DataFrame({"used_capacity": np.arange(10.0)}, index=times)
    assert taken(frame.drop(times[4]), issued_at=end, step_seconds=step_seconds)[0].length == 10
    assert taken(frame.drop(times[9]), issued_at=end, step_seconds=step_seconds)[0].length == 10
    assert taken(frame.drop(times[3:5]), issued_at=end, step_seconds=step_seconds)[0].length == 5


FLOATS = st.floats(allow_nan=True, allow_infinity=False, width=64)


@given(
    queue=st.text(min_size=1),
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=4, unique=True),
    step_seconds=st.sampled_from([60, 2_700, 3_600, 25_200, 432_000, 604_800]),
    values=st.lists(FLOATS, min_size=1, max_size=30),
    start=st.integers(0, 60_000_000),
)
def test_bytes_and_back_is_the_same_bit_for_bit(queue, names, step_seconds, values, start):
    index = pd.date_range(from_epoch(start * 60), periods=len(values), freq=f"{step_seconds}s")
    frame = pd.DataFrame({name: np.roll(values, shift) for shift, name in enumerate(names)}, index=index)
    before = Snapshot(queue=queue, target=names[0], grid=TimeGrid(step_seconds), frame=frame)
    after = Snapshot.from_bytes(before.to_bytes())
    assert (after.queue, after.target, after.step_seconds) == (queue, names[0], step_seconds)
    assert (after.start_at, after.end_at, after.length) == (before.start_at, before.end_at, before.length)
    pd.testing.assert_index_equal(after.frame.index, frame.index)
    assert list(after.frame) == names
    np.testing.assert_array_equal(after.frame.to_numpy(), frame.to_numpy(), strict=True)
    np.testing.assert_array_equal(np.signbit(after.frame.to_numpy()), np.signbit(frame.to_numpy()))


def test_bytes_are_few_and_what_comes_back_may_be_changed():
    content = taken(a_load(14 * 24).to_frame())[0].to_bytes()
    assert len(content) < 5_000
    frame = Snapshot.from_bytes(content).frame
    frame.iloc[0, 0] = 1.0
    assert frame.iloc[0, 0] == 1.0


def test_the_series_starts_after_the_last_gap_that_is_too_long_to_be_filled() -> None:
    frame = without(100, 104).drop(without(0, 237).index)  # a gap inside, and one at the end that is no start
    assert taken(frame, fill=Fill(longest=Duration(4, "h")))[0].length == 240
    snapshot, notes = taken(frame, fill=Fill(longest=Duration(3, "h")))
    assert snapshot.length == 240 - 104
    assert notes == ("the series starts at 2025-12-30 08:00 UTC, after its last gap longer than `fill` allows (3 steps)",)
    assert taken(frame, fill=Fill(method=FillMethod.NONE))[0].length == 240 - 104
    assert taken(without(100, 130), fill=Fill(longest=Duration(2, "d")))[0].length == 240
    with pytest.raises(
        SeriesTooShort, match=r"found 2 steps with a value after the last gap longer than `fill` allows \(0 steps\)"
    ):
        taken(without(237, 238), fill=Fill(method=FillMethod.NONE))
