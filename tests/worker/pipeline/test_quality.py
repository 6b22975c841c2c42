"""The report says what was wrong with a queue's data, in numbers and in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from shared.domain.reports import QualityReport
from shared.domain.timegrid import TimeGrid
from tests.factories import MONDAY, a_load, a_spec
from worker.pipeline.doubts import level_change
from worker.pipeline.quality import quality_report
from worker.pipeline.snapshot import Snapshot
from worker.sources.base import Reading


def report(frame: pd.DataFrame, **changes: object) -> QualityReport:
    snapshot = Snapshot(queue="root.etl", target="used_capacity", grid=TimeGrid(3_600), frame=frame)
    reading = replace(Reading(frame=frame, rows=len(frame)), **changes)  # type: ignore[arg-type]
    return quality_report(snapshot, reading, spec=a_spec(), shifted=level_change(snapshot) or "")


def test_clean_data_have_nothing_to_say():
    clean = report(a_load(240).to_frame())
    assert (clean.rows, clean.steps, clean.filled_steps, clean.filled_share, clean.longest_gap_steps) == (240, 240, 0, 0.0, 0)
    assert (clean.start_at, clean.end_at) == (MONDAY - timedelta(days=10), MONDAY)
    assert clean.notes == clean.warnings == ()
    assert clean.dropped_columns == {}


def test_every_step_that_changed_something_has_its_line():
    load = a_load(240)
    frame = pd.DataFrame({"used_capacity": load, "absolute": load * 2, "limit": 100.0})
    frame.iloc[30:34, 0] = np.nan
    frame.iloc[80, 0] = np.nan
    dirty = report(frame, rows=9_000, duplicates=1_200, non_finite=1, notes=("timestamps carry no time zone",))
    assert dirty.notes == (
        "1,200 rows repeat a timestamp: of each timestamp the last was kept",
        "1 value is empty or not finite: left out",
        "timestamps carry no time zone",
        "5 steps without a value: 5 filled with a straight line; the longest gap has 4",
        "column 'limit' dropped: constant",
        f"column 'absolute' dropped: {dirty.dropped_columns['absolute']}",
    )
    assert dirty.dropped_columns["absolute"].startswith("says the same as used_capacity")
    assert (dirty.rows, dirty.duplicates, dirty.non_finite) == (9_000, 1_200, 1)
    assert (dirty.filled_steps, dirty.longest_gap_steps) == (5, 4)
    assert dirty.filled_share == pytest.approx(5 / 240)
    assert dirty.warnings == ()


def test_much_that_was_filled_is_a_warning():
    frame = a_load(240).to_frame()
    frame.iloc[10:58:2] = np.nan
    assert report(frame).warnings == ()
    frame.iloc[100:124] = np.nan
    frame.iloc[130] = np.nan
    assert report(frame).warnings == (
        "20% of the steps had no value and were filled; forecasts learn from the filled values too",
    )


@pytest.mark.parametrize(
    ("value", "warning"), [(0.0, "every value is zero: the forecast is zero"), (42.5, "every value is 42.5: the forecast")]
)
def test_a_queue_that_never_changes_is_named(value, warning):
    frame = a_load(240).to_frame()
    frame[:] = value
    frame.iloc[20:23] = np.nan
    (only,) = report(frame).warnings
    assert only.startswith(warning)


@pytest.mark.parametrize(("days", "factor"), [(1, 3.0), (2, 0.2), (3, 2.5)])
def test_a_change_of_level_in_the_last_days_is_told_with_both_levels(days: int, factor: float) -> None:
    frame = a_load(240).to_frame()
    frame.iloc[-24 * days :] *= factor
    (warning,) = report(frame).warnings
    since = MONDAY - timedelta(days=days)
    assert warning.startswith(f"the level has changed: since {since:%Y-%m-%d} 00:00 UTC the daily mean is ")
    assert "before it was 39." in warning


def test_weekends_bursts_and_small_changes_are_no_change_of_level() -> None:
    weekend, burst, small = (a_load(240, end=MONDAY).to_frame() for _ in range(3))
    burst.iloc[-40:-34] *= 3
    small.iloc[:-24], small.iloc[-24:] = 50.0, 54.0
    assert [report(frame).warnings for frame in (weekend, burst, small)] == [()] * 3


def test_a_week_before_the_change_is_needed_to_know_the_level() -> None:
    frame = a_load(7 * 24).to_frame()
    frame.iloc[-24:] *= 5
    assert report(frame).warnings == ()


def test_less_than_two_days_is_a_warning():
    assert report(a_load(48).to_frame()).warnings == ()
    assert report(a_load(47).to_frame()).warnings == ("only 47 hours of history, less than 2 days: only baselines are tried",)
