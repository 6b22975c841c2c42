from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import available_timezones

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.timegrid import TimeGrid, from_epoch, lead_groups, to_epoch
from tests.factories import MONDAY

HOUR, DAY = 3_600, 86_400
PERIODS = [60, 2_700, HOUR, 7 * HOUR, DAY, 5 * DAY, 7 * DAY]
MOMENTS = st.datetimes(datetime(1960, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
LIVED = st.datetimes(datetime(1902, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as above
BERLIN = "Europe/Berlin"
LEFT_OUT_A_DAY = ("Apia", "Fakaofo", "Kwajalein", "Enderbury", "Kanton", "Kiritimati")  # to change the side of the date line
ZONES = sorted(zone for zone in available_timezones() if not zone.endswith(LEFT_OUT_A_DAY))


@given(MOMENTS, st.sampled_from(PERIODS))
def test_a_moment_lies_in_its_bucket_and_the_bucket_on_the_grid_of_the_epoch(moment: datetime, seconds: int) -> None:
    start = TimeGrid(seconds).bucket_start(moment)
    assert start <= moment < start + timedelta(seconds=seconds)
    assert to_epoch(start) % seconds == 0


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)), st.sampled_from(PERIODS))  # noqa: DTZ001 - as above
def test_the_bucket_is_the_one_that_pandas_finds_from_the_epoch(moment: datetime, seconds: int) -> None:
    series = pd.Series([1.0], index=pd.DatetimeIndex([moment]))
    label = series.resample(f"{seconds}s", origin="epoch").mean().index[0]
    assert TimeGrid(seconds).bucket_start(moment.replace(tzinfo=UTC)) == label.tz_localize(UTC)


@given(LIVED, st.sampled_from(ZONES), st.sampled_from([DAY, 2 * DAY, 7 * DAY]), st.integers(1, 400))
def test_steps_of_days_join_and_hold_their_moments_in_every_zone(moment: datetime, zone: str, seconds: int, steps: int) -> None:
    grid = TimeGrid(seconds, zone)
    start = grid.bucket_start(moment)
    starts = grid.step_starts(start, steps + 1)
    assert starts[0] == start <= moment < starts[1]
    assert starts == sorted(starts)
    assert (grid.bucket_start(starts[-1]), grid.steps_between(start, starts[-1])) == (starts[-1], steps)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - as above
def test_a_day_begins_at_its_own_midnight_as_pandas_has_it(moment: datetime) -> None:
    midnight = pd.Timestamp(moment).tz_convert(BERLIN).normalize()
    assert TimeGrid(DAY, BERLIN).bucket_start(moment) == midnight
    assert TimeGrid(DAY, BERLIN).step_start(midnight.to_pydatetime(), 2) == midnight + pd.DateOffset(days=1)


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)])
def test_a_day_on_which_clocks_are_changed_has_an_hour_less_or_more(day: tuple[int, int, int], hours: int) -> None:
    grid = TimeGrid(DAY, BERLIN)
    start = grid.bucket_start(datetime(*day, 12, tzinfo=UTC))
    assert grid.step_start(start, 2) - start == timedelta(hours=hours)


def test_a_day_whose_midnight_never_was_begins_when_clocks_are_changed() -> None:
    grid, change = TimeGrid(DAY, "America/Sao_Paulo"), datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert grid.bucket_start(change + timedelta(hours=5)) == change
    assert grid.bucket_start(change - timedelta(seconds=1)) == change - timedelta(days=1)


@given(MOMENTS, st.sampled_from([60, HOUR, 7 * HOUR]), st.sampled_from([BERLIN, "Asia/Kathmandu"]))
def test_shorter_steps_know_no_time_zone(moment: datetime, seconds: int, zone: str) -> None:
    assert TimeGrid(seconds, zone).bucket_start(moment) == TimeGrid(seconds).bucket_start(moment)
    assert TimeGrid(seconds, zone).day_timezone == ""


@given(MOMENTS, st.sampled_from([DAY, 7 * DAY]), st.sampled_from(["Etc/UTC", "GMT"]))
def test_utc_by_another_name_is_utc(moment: datetime, seconds: int, zone: str) -> None:
    assert TimeGrid(seconds, zone).bucket_start(moment) == TimeGrid(seconds).bucket_start(moment)
    assert TimeGrid(seconds, zone).day_timezone == ""


def test_the_end_of_one_bucket_is_the_start_of_the_next() -> None:
    assert TimeGrid(HOUR).bucket_start(MONDAY) == MONDAY
    assert TimeGrid(HOUR).bucket_start(MONDAY - timedelta(microseconds=1)) == MONDAY - timedelta(hours=1)


def test_the_time_zone_of_a_moment_moves_no_bucket() -> None:
    in_kathmandu = MONDAY.astimezone(timezone(timedelta(hours=5, minutes=45)))
    start = TimeGrid(DAY).bucket_start(in_kathmandu)
    assert (start, start.tzinfo) == (MONDAY, UTC)


@pytest.mark.parametrize("grid", [TimeGrid(HOUR), TimeGrid(DAY, BERLIN)], ids=["hours", "days"])
def test_a_moment_without_time_zone_is_refused(grid: TimeGrid) -> None:
    naive = datetime(2026, 1, 5)  # noqa: DTZ001 - what is refused
    for ask in (to_epoch, grid.bucket_start, lambda moment: grid.step_start(moment, 1)):
        with pytest.raises(ValueError, match="2026-01-05T00:00:00 has no time zone"):
            ask(naive)


def test_step_one_starts_when_the_forecast_is_issued() -> None:
    assert TimeGrid(HOUR).step_start(MONDAY, 1) == MONDAY
    assert TimeGrid(HOUR).step_start(MONDAY, 25) == MONDAY + timedelta(days=1)
    assert TimeGrid(1_800).step_starts(MONDAY, 3) == [MONDAY, MONDAY + timedelta(minutes=30), MONDAY + timedelta(hours=1)]


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
