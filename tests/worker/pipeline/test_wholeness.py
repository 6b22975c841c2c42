"""The last step counts only when its samples are all there, whatever the clock says."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from shared.domain.samples import Aggregation
from shared.domain.timegrid import TimeGrid
from tests.factories import MONDAY, a_load
from worker.pipeline.wholeness import whole_steps
from worker.sources.base import Reading

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def steps_left(newest_at: pd.Timestamp | None, *, per_hour: int, hours: int = 240) -> tuple[int, tuple[str, ...]]:
    """How many steps are left of a reading whose last hour ends on Monday, and what is said of it."""
    frame = a_load(hours).to_frame()
    reading = Reading(frame=frame, rows=per_hour * hours, newest_at=newest_at)
    whole = whole_steps(reading, "used_capacity", grid=TimeGrid(3_600), aggregation=Aggregation.MEAN)
    return len(whole.frame), whole.notes


@pytest.mark.parametrize(
    ("per_hour", "minutes_before_the_end", "is_whole"),
    [(60, 1, True), (60, 5, True), (60, 15, False), (6, 10, True), (6, 15, True), (6, 20, False), (1, 60, True), (1, 1, True)],
)
def test_a_step_is_whole_when_no_further_sample_is_to_be_expected(
    per_hour: int, minutes_before_the_end: int, is_whole: bool
) -> None:
    left, notes = steps_left(MONDAY - minutes_before_the_end * MINUTE, per_hour=per_hour)
    assert left == (240 if is_whole else 239)
    assert bool(notes) is not is_whole


def test_what_is_left_out_is_said_with_what_to_set() -> None:
    _, (note,) = steps_left(MONDAY - 20 * MINUTE, per_hour=60)
    assert note == (
        "the step of 2026-01-04 23:00 UTC is left out: its newest sample is of 2026-01-04 23:40 UTC, so more are to come; "
        "`ingestion_delay` says how late samples are"
    )


def test_nothing_is_left_out_where_nobody_knows_when_the_newest_sample_was_taken() -> None:
    assert steps_left(None, per_hour=60) == (240, ())


def test_rows_without_the_target_are_no_samples_of_it() -> None:
    frame = a_load(240).to_frame()
    sparse = Reading(frame=frame, rows=12 * 240, non_finite=11 * 240, newest_at=MONDAY - HOUR)
    assert whole_steps(sparse, "used_capacity", grid=TimeGrid(3_600), aggregation=Aggregation.MEAN) is sparse
