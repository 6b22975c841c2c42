"""When a cron expression is due: through weeks, leap days and changes of clocks."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.schedules import newest_due, next_due
from shared.errors import InvalidRequest

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def due(cron: str, timezone: str, start: datetime, end: datetime) -> list[datetime]:
    """Every due time in (start, end], in the zone's own time."""
    moments, moment = [], start
    while (moment := next_due(cron, timezone, moment)) <= end:
        moments.append(moment.astimezone(ZoneInfo(timezone)))
    return moments


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("cron", "start", "end", "moments"),
    [
        ("30 6 * * 1-5", utc(2026, 11, 22), utc(2026, 11, 29), [f"{day} 06:30" for day in range(23, 28)]),  # working days
        ("30 2 * * *", utc(2026, 3, 28), utc(2026, 3, 30, 12), ["28 02:30", "29 03:30", "30 02:30"]),  # spring leaves one out
        ("30 2 * * *", utc(2026, 10, 24, 12), utc(2026, 10, 26, 12), ["25 02:30", "26 02:30"]),  # autumn brings one twice
        ("0 1 29 2 *", utc(2096, 3, 1), utc(2104, 3, 1), ["29 01:00"]),  # eight years without a leap day
        ("0 1 13 * 5", utc(2026, 1, 1), utc(2026, 3, 1), ["13 01:00"]),  # days of month and of week must both fit
    ],
)
def test_a_time_on_the_wall_is_due_once_on_each_of_its_days(
    cron: str, start: datetime, end: datetime, moments: list[str]
) -> None:
    assert [f"{moment:%d %H:%M}" for moment in due(cron, BERLIN, start, end)] == moments


@pytest.mark.parametrize(
    ("timezone", "start", "hours"),
    [(BERLIN, utc(2026, 3, 28, 23), 23), (BERLIN, utc(2026, 10, 24, 22), 25), (NEW_YORK, utc(2026, 11, 1, 4), 25)],
)
def test_every_quarter_of_an_hour_is_due_through_a_change_of_clocks(timezone: str, start: datetime, hours: int) -> None:
    day_and_night = [start + n * timedelta(minutes=15) for n in range(1, 4 * hours + 1)]
    moments = due("*/15 * * * *", timezone, start, start + timedelta(hours=hours))
    assert [moment.astimezone(UTC) for moment in moments] == day_and_night


@pytest.mark.parametrize("text", ["", "* * * *", "* * * * * *", "61 * * * *", "a b c d e", "*/0 * * * *", "0 24 * * *"])
def test_what_is_no_expression_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(InvalidRequest, match="accepted are five fields"):
        next_due(text, "UTC", utc(2026, 1, 1))


@pytest.mark.parametrize("text", ["0 0 31 2 *", "0 6 30 2 */2", "0 0 31 2,4,6 *", "0 0 31 2 1"])
def test_a_day_that_never_comes_is_refused_as_such(text: str) -> None:
    with pytest.raises(InvalidRequest, match="never due"):
        next_due(text, "UTC", utc(2026, 1, 1))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("0 22-2 * * *", "0 22,23,0,1,2 * * *"),
        ("0 20-4/3 * * *", "0 20,23,2 * * *"),
        ("0 6 * jan,Mar Fri-mon", "0 6 * 1,3 5,6,0,1"),
        ("0 6 * april monday", "0 6 * 4 1"),
        ("7-7/2 * * * *", "7 * * * *"),
    ],
)
def test_names_and_ranges_that_go_around_mean_what_they_list(text: str, same: str) -> None:
    assert due(text, BERLIN, utc(2026, 1, 1), utc(2026, 5, 1)) == due(same, BERLIN, utc(2026, 1, 1), utc(2026, 5, 1)) != []


@given(
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    hours=st.one_of(st.just(set(range(24))), st.sets(st.integers(0, 23), min_size=1, max_size=6)),
    zone=st.sampled_from(["UTC", BERLIN, NEW_YORK, "Australia/Lord_Howe", "Asia/Kolkata"]),
    start=st.sampled_from([utc(2026, *day) for day in ((3, 7), (3, 28), (4, 4), (10, 3), (10, 24), (10, 31))]),
    hours_later=st.integers(1, 72),
)
@settings(max_examples=60)
def test_each_local_time_is_due_once_and_the_newest_is_the_last_of_them(
    minutes: set[int], hours: set[int], zone: str, start: datetime, hours_later: int
) -> None:
    cron = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *"
    now = start + timedelta(hours=hours_later)
    moments = [moment.astimezone(UTC) for moment in due(cron, zone, start, now)]
    assert moments == sorted(set(moments))
    local = Counter(f"{moment.astimezone(ZoneInfo(zone)):%d %H:%M}" for moment in moments)
    assert set(local.values()) <= ({1, 2} if len(hours) == 24 else {1})
    if moments:
        assert newest_due(cron, zone, now) == moments[-1]


def test_of_what_was_missed_the_newest_counts() -> None:
    cron = "0 6 * * *"
    assert newest_due(cron, "UTC", utc(2026, 1, 9, 7)) == utc(2026, 1, 9, 6)
    assert newest_due(cron, "UTC", utc(2026, 1, 1, 6)) == utc(2026, 1, 1, 6)
    assert newest_due("* * * * *", "UTC", utc(2026, 1, 1, 0, 0, 30)) == utc(2026, 1, 1)
    assert newest_due("0 0 1 1 *", "UTC", utc(2026, 6, 1)) == utc(2026, 1, 1)
