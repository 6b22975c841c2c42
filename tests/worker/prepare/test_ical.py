"""Events of iCal files: single ones, recurring ones on their wall clock, and files that nobody should have to read."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from shared.errors import UnreadableData
from tests.factories import a_calendar
from worker.prepare.ical import MAX_ENTRIES, events_in

MARCH = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 15, tzinfo=UTC)
BERLIN = "Europe/Berlin"
AT_TEN = "DTSTART:20260302T100000Z"


def spans(*entries: str, timezone: str = BERLIN) -> list[str]:
    """Beginning and end of each event, as of UTC."""
    found = events_in(a_calendar(*entries), timezone, *MARCH)
    return [f"{event.start:%m-%dT%H:%M}/{event.end:%m-%dT%H:%M}" for event in found]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (["DTSTART:20260302T100000Z|DTEND:20260302T120000Z"], ["03-02T10:00/03-02T12:00"]),
        (["DTSTART:20260302T100000|DURATION:PT1H"], ["03-02T09:00/03-02T10:00"]),  # of the request's time zone
        (["DTSTART;TZID=W. Europe Standard Time:20260302T100000|DURATION:PT1H"], ["03-02T09:00/03-02T10:00"]),
        (["DTSTART;VALUE=DATE:20260328|DTEND;VALUE=DATE:20260330"], ["03-27T23:00/03-29T22:00"]),  # two days, one of 23 h
        (["DTSTART;VALUE=DATE:20260328"], ["03-27T23:00/03-28T23:00"]),
        ([AT_TEN], ["03-02T10:00/03-02T10:01"]),  # without a length: the step that it lies in
        (["DTSTART:20260227T100000Z|DURATION:P3D"], ["02-27T10:00/03-02T10:00"]),  # it reaches into the time
        (["DTSTART:20250302T100000Z|DURATION:PT1H"], []),
        (
            [f"DTSTART;TZID={BERLIN}:20260322T020000|DURATION:PT2H|RRULE:FREQ=WEEKLY;BYDAY=SU"],
            ["03-22T01:00/03-22T03:00", "03-29T01:00/03-29T03:00", "04-05T00:00/04-05T02:00", "04-12T00:00/04-12T02:00"],
        ),
        (
            ["DTSTART;VALUE=DATE:20200131|RRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20260330"],  # since years, to the end of that day
            ["03-26T23:00/03-27T23:00"],
        ),
        (
            [f"{AT_TEN}|DURATION:PT1H|RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"],
            ["03-02T10:00/03-02T11:00", "03-31T10:00/03-31T11:00"],  # its first beginning counts, though the rule skips it
        ),
        (
            ["DTSTART:20260302T100000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2|EXDATE:20260302T100000Z"],
            ["03-03T10:00/03-03T11:00"],
        ),
        ([f"{AT_TEN}|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2|EXDATE;VALUE=DATE:20260302"], ["03-03T10:00/03-03T11:00"]),
        ([f"{AT_TEN}|DURATION:PT1H|RDATE:20260310T100000Z"], ["03-02T10:00/03-02T11:00", "03-10T10:00/03-10T11:00"]),
        (
            [
                f"{AT_TEN}|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=3",
                "RECURRENCE-ID:20260303T100000Z|DTSTART:20260303T150000Z|DURATION:PT1H",
                "RECURRENCE-ID:20260304T100000Z|DTSTART:20260304T100000Z|STATUS:CANCELLED",
            ],
            ["03-02T10:00/03-02T11:00", "03-03T15:00/03-03T16:00"],
        ),
        (["STATUS:CANCELLED|DTSTART:20260302T100000Z|DTEND:20260302T120000Z"], []),
        (["DTSTART:20300302T100000Z|RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"], []),  # it comes true, but later
    ],
)
def test_events_are_told_in_utc(entries: list[str], expected: list[str]) -> None:
    assert spans(*entries) == expected


def test_events_have_their_names_and_the_kind_of_the_file() -> None:
    text = a_calendar(f"SUMMARY:night\tly \x07 run|{AT_TEN}|DURATION:PT1H", "DTSTART:20260303T100000Z")
    found = events_in(text, "UTC", *MARCH, "run")
    assert [(event.name, event.kind) for event in found] == [("night ly   run", "run"), ("event", "run")]


def a_zoned(offset: str, *, is_described: bool = True, is_below: bool = False) -> bytes:
    """An event at ten of a time zone that the file itself describes, above its events or below them."""
    zone = "BEGIN:VTIMEZONE|TZID:Ours|BEGIN:STANDARD|DTSTART:19700101T000000"
    zone = f"{zone}|TZOFFSETFROM:{offset}|TZOFFSETTO:{offset}|END:STANDARD|END:VTIMEZONE|".replace("|", "\r\n") * is_described
    event = "BEGIN:VEVENT|UID:1|DTSTART;TZID=Ours:20260302T100000|DURATION:PT1H|END:VEVENT|".replace("|", "\r\n")
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{event + zone if is_below else zone + event}END:VCALENDAR\r\n".encode()


def test_a_time_zone_that_a_file_describes_is_of_that_file_alone() -> None:
    for offset, hour in (("-0500", 15), ("+0300", 7), ("-0500", 15)):
        for is_below in (False, True):
            [event] = events_in(a_zoned(offset, is_below=is_below), BERLIN, *MARCH)
            assert event.start == datetime(2026, 3, 2, hour, tzinfo=UTC)
    with pytest.raises(UnreadableData, match="the time zone 'Ours' is not known"):
        events_in(a_zoned("", is_described=False), BERLIN, *MARCH)


REFUSED = [
    (b"hello", "no iCal file, or a broken one"),
    (b"", "no BEGIN:VCALENDAR"),
    (b"\xff\xfe\x00", "no iCal file"),
    (b"BEGIN:VCALENDAR\r\n" * 5_000, "no BEGIN:VCALENDAR"),
    (b"X" * 1_000_001, "more than the accepted 1,000,000 bytes"),
    (a_calendar(*[AT_TEN] * (MAX_ENTRIES + 1)), "accepted are 5,000"),
    (a_calendar(*[f"{AT_TEN}|RRULE:FREQ=DAILY"] * 101), "101 recurring events"),
    (a_calendar(f"{AT_TEN}|RRULE:FREQ=SECONDLY"), "it recurs SECONDLY; accepted are DAILY, WEEKLY, MONTHLY, YEARLY"),
    (a_calendar(f"{AT_TEN}|RRULE:FREQ=DAILY;BYHOUR=1,2,3"), "its rule has BYHOUR"),
    (a_calendar(f"{AT_TEN}|RRULE:FREQ=DAILY|EXRULE:FREQ=WEEKLY"), "accepted is EXDATE"),
    (a_calendar(f"{AT_TEN}|RRULE:hello"), "without FREQ"),
    (a_calendar(f"{AT_TEN}|RRULE:FREQ=WEEKLY;BYDAY=XX"), "XX"),
    (a_calendar(f"{AT_TEN}|RRULE:FREQ=DAILY|RRULE:FREQ=WEEKLY"), "several rules"),
    (a_calendar(f"{AT_TEN}|RRULE:FREQ=DAILY;INTERVAL=0"), "more than the accepted 20,000 times"),
    (a_calendar("DTSTART:17000101T100000Z|RRULE:FREQ=YEARLY"), "beginnings from 1970 on"),
    (a_calendar(*["DTSTART:19710101T100000Z|RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"] * 100), "never comes true"),
    (a_calendar(f"{AT_TEN}|RDATE;VALUE=PERIOD:20260310T100000Z/PT2H"), "its RDATE is no day and no moment"),
    (a_calendar("DTSTART:2026-03-02"), "2026-03-02"),
    (a_calendar("DTSTART;TZID=Foo/Bar:20260302T100000"), "the time zone 'Foo/Bar' is not known"),
    (a_calendar("DTSTART:20260302T100000Z|DTEND:20260301T100000Z"), "ends after their beginnings"),
    (a_calendar("DTSTART;VALUE=DATE:20260302|DTEND:20260303T100000Z"), "cannot be read"),
    (a_calendar("RECURRENCE-ID;RANGE=THISANDFUTURE:20260304T100000Z|DTSTART:20260304T150000Z"), "moves all occurrences"),
    (a_calendar(*[f"{AT_TEN}|DURATION:PT{minute}M|RRULE:FREQ=DAILY" for minute in range(1, 60)]), "more than the accepted 1,000"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_a_file_that_is_none_or_has_too_much_in_it_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(UnreadableData, match=re.escape(message)):
        events_in(text, BERLIN, *MARCH)
