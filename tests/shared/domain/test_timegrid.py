from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.timegrid import bucket_start, from_epoch, lead_groups, step_start, step_starts, to_epoch
from tests.factories import MONDAY

HOUR, DAY = 3_600, 86_400
PERIODS = [60, 2_700, HOUR, 7 * HOUR, DAY, 5 * DAY, 7 * DAY]
MOMENTS = st.datetimes(datetime(1960, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(MOMENTS, st.sampled_from(PERIODS))
def test_a_moment_lies_in_its_bucket_and_the_bucket_on_the_grid_of_the_epoch(moment: datetime, seconds: int) -> None:
    start = bucket_start(moment, seconds)
    assert start <= moment < start + timedelta(seconds=seconds)
    assert to_epoch(start) % seconds == 0


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)), st.sampled_from(PERIODS))  # noqa: DTZ001 - as above
def test_the_bucket_is_the_one_that_pandas_finds_from_the_epoch(moment: datetime, seconds: int) -> None:
    series = pd.Series([1.0], index=pd.DatetimeIndex([moment]))
    label = series.resample(f"{seconds}s", origin="epoch").mean().index[0]
    assert bucket_start(moment.replace(tzinfo=UTC), seconds) == label.tz_localize(UTC)


def test_the_end_of_one_bucket_is_the_start_of_the_next() -> None:
    assert bucket_start(MONDAY, HOUR) == MONDAY
    assert bucket_start(MONDAY - timedelta(microseconds=1), HOUR) == MONDAY - timedelta(hours=1)


def test_the_time_zone_of_a_moment_moves_no_bucket() -> None:
    in_kathmandu = MONDAY.astimezone(timezone(timedelta(hours=5, minutes=45)))
    start = bucket_start(in_kathmandu, DAY)
    assert (start, start.tzinfo) == (MONDAY, UTC)


def test_a_moment_without_time_zone_is_refused() -> None:
    naive = datetime(2026, 1, 5)  # noqa: DTZ001 - what is refused
    for ask in (to_epoch, lambda moment: bucket_start(moment, HOUR), lambda moment: step_start(moment, 1, HOUR)):
        with pytest.raises(ValueError, match="2026-01-05T00:00:00 has no time zone"):
            ask(naive)


def test_step_one_starts_when_the_forecast_is_issued() -> None:
    assert step_start(MONDAY, 1, HOUR) == MONDAY
    assert step_start(MONDAY, 25, HOUR) == MONDAY + timedelta(days=1)
    assert step_starts(MONDAY, 3, 1_800) == [MONDAY, MONDAY + timedelta(minutes=30), MONDAY + timedelta(hours=1)]


@given(MOMENTS)
def test_whole_seconds_come_back_and_parts_of_one_are_cut_off(moment: datetime) -> None:
    assert from_epoch(to_epoch(moment)) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    ("step_seconds", "groups"),
    [
        (3_600, [(1, 6), (7, 24), (25, 48), (49, 72), (73, None)]),
        (1_800, [(1, 12), (13, 48), (49, 96), (97, 144), (145, None)]),
        (7 * 3_600, [(1, 3), (4, 6), (7, 10), (11, None)]),  # the first step ends after seven hours
        (86_400, [(1, 1), (2, 2), (3, 3), (4, None)]),
        (604_800, [(1, None)]),
    ],
)
def test_lead_times_are_grouped_by_time(step_seconds: int, groups: list[tuple[int, int | None]]) -> None:
    assert lead_groups(step_seconds) == groups
    assert lead_groups(step_seconds, 2)[-1][1] == 2  # and not beyond the horizon
