"""Events of an iCal file (RFC 5545): single ones, and occurrences of recurring ones within a time.

Files are other people's: how large one is, how many entries it has and how often they recur has limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Protocol, cast
from zoneinfo import ZoneInfo

from shared.domain.occasions import LONGEST, MAX_EVENTS, Event
from shared.domain.texts import UNPLAIN
from shared.errors import UnreadableData
from worker.prepare.recurrence import beginnings

if TYPE_CHECKING:
    from icalendar import Calendar, Component, vRecur

MAX_BYTES = 1_000_000
MAX_ENTRIES = 5_000
MAX_RULES = 100  # entries that recur
MAX_NAME = 200
DESCRIBES_ZONES = b"BEGIN:VTIMEZONE"
INSTANT = timedelta(minutes=1)  # of an entry without a length: the step that it lies in
Given = datetime | date


class _Dated(Protocol):
    """A property of an entry with one time."""

    dt: Given | timedelta
    params: Mapping[str, str]


class _Listed(Protocol):
    """One with several, such as EXDATE."""

    dts: Sequence[_Dated]
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One VEVENT: its first start on its own wall clock, and how long it takes."""

    name: str
    start: datetime  # without a zone
    zone: tzinfo
    length: timedelta
    is_day: bool

    def at(self, shown: datetime, kind: str) -> Event:
        """The occurrence that begins when its clock shows that; a day ends at midnight however long it was."""
        start = shown.replace(tzinfo=self.zone).astimezone(UTC)
        end = (shown + self.length).replace(tzinfo=self.zone).astimezone(UTC) if self.is_day else start + self.length
        return Event(name=self.name, start=start, end=end, kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Away:
    """What EXDATE takes away: moments, and of an entry with a time of day whole days."""

    moments: frozenset[datetime]
    days: frozenset[date]

    @classmethod
    def of(cls, given: Sequence[Given], one: _Entry, timezone: str) -> _Away:
        days = [] if one.is_day else [each for each in given if not isinstance(each, datetime)]
        moments = [_utc(each, timezone) for each in given if isinstance(each, datetime) or one.is_day]
        return cls(moments=frozenset(moments), days=frozenset(days))

    def has(self, event: Event, one: _Entry) -> bool:
        return event.start in self.moments or event.start.astimezone(one.zone).date() in self.days


@lru_cache(maxsize=16)
def events_in(text: bytes, timezone: str, start: datetime, end: datetime, kind: str = "") -> tuple[Event, ...]:
    """The file's events that touch [start, end), by their beginnings; cancelled ones are left out.

    Args:
        text: the file.
        timezone: of days and of times without a zone.
        kind: of all of them; "" = as each is called.

    Raises:
        UnreadableData: it is no iCal, or has more than is accepted.
    """
    entries = _entries(text)
    moved = {_moved(entry, timezone) for entry in entries if "RECURRENCE-ID" in entry}
    found: set[Event] = set()
    for entry in entries:
        if str(entry.get("STATUS", "")).upper() == "CANCELLED" or "DTSTART" not in entry:
            continue
        for event in _occurrences(entry, timezone, start, end, kind):
            if "RECURRENCE-ID" in entry or (_id(entry), event.start) not in moved:
                found.add(event)
        if len(found) > MAX_EVENTS:
            raise UnreadableData(f"found more than the accepted {MAX_EVENTS:,} events from {start:%Y-%m-%d} to {end:%Y-%m-%d}")
    return tuple(sorted(found, key=lambda event: (event.start, event.end, event.name)))


def _entries(text: bytes) -> list[Component]:
    if len(text) > MAX_BYTES:
        raise UnreadableData(f"it has more than the accepted {MAX_BYTES:,} bytes")
    entries = [entry for calendar in _calendars(text) for entry in calendar.walk("VEVENT")]
    if len(entries) > MAX_ENTRIES:
        raise UnreadableData(f"found {len(entries):,} events, accepted are {MAX_ENTRIES:,}")
    if (rules := sum("RRULE" in entry for entry in entries)) > MAX_RULES:
        raise UnreadableData(f"found {rules} recurring events, accepted are {MAX_RULES}")
    return entries


def _calendars(text: bytes) -> list[Calendar]:
    from icalendar import Calendar
    from icalendar.timezone import tzp

    tzp.use_zoneinfo()  # the time zones that a file describes are kept for the process: those of another one are forgotten
    try:
        if DESCRIBES_ZONES in text.upper():
            Calendar.from_ical(text, multiple=True)  # they may stand below the events that are of them
        calendars = Calendar.from_ical(text, multiple=True)
    except Exception as error:  # the parser's own errors are of many kinds, and quote the file, which may be any
        raise UnreadableData("it is no iCal file, or a broken one") from error
    finally:
        tzp.use_zoneinfo()
    if not calendars:
        raise UnreadableData("it is no iCal file: it has no BEGIN:VCALENDAR")
    return calendars


def _occurrences(entry: Component, timezone: str, start: datetime, end: datetime, kind: str) -> Iterator[Event]:
    """The occurrences of one entry that touch the time; those that EXDATE takes away are none."""
    with _told_of(entry):
        one = _entry(entry, timezone)
        away = _Away.of([*_dates(entry, "EXDATE")], one, timezone)
        begins = chain(_beginnings(entry, one, start, end), (_shown(day, one) for day in _dates(entry, "RDATE")))
        events = [one.at(shown, kind) for shown in begins]
    yield from (each for each in events if not away.has(each, one) and each.start < end and each.end > start)


def _moved(entry: Component, timezone: str) -> tuple[str, datetime]:
    """The occurrence that the entry stands for."""
    with _told_of(entry):
        return _id(entry), _utc(_time(entry, "RECURRENCE-ID"), timezone)


@contextmanager
def _told_of(entry: Component) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, AttributeError, OverflowError, KeyError) as error:
        raise UnreadableData(f"the event {_name(entry)!r} cannot be read: {str(error)[:200]}") from error


def _entry(entry: Component, timezone: str) -> _Entry:
    given = _time(entry, "DTSTART")
    begin, is_day = _whole(given), not isinstance(given, datetime)
    length = _length(entry, given, timezone)
    if not timedelta(0) <= length <= LONGEST:
        raise ValueError(f"it takes {length}; accepted are ends after their beginnings, by {LONGEST.days} days at most")
    zone = begin.tzinfo or ZoneInfo(timezone)
    return _Entry(name=_name(entry), start=begin.replace(tzinfo=None), zone=zone, length=length or INSTANT, is_day=is_day)


def _length(entry: Component, given: Given, timezone: str) -> timedelta:
    is_day = not isinstance(given, datetime)
    if "DTEND" in entry:
        end = _time(entry, "DTEND")
        return _whole(end) - _whole(given) if is_day else _utc(end, timezone) - _utc(given, timezone)
    if "DURATION" in entry:
        return cast("timedelta", cast("_Dated", entry["DURATION"]).dt)
    return timedelta(days=1) if is_day else INSTANT


def _beginnings(entry: Component, one: _Entry, start: datetime, end: datetime) -> Iterator[datetime]:
    """When it begins, on its own clock: once, or as its rule says."""
    if "EXRULE" in entry:
        raise ValueError("it has an EXRULE, which RFC 5545 took away; accepted is EXDATE")
    rule = cast("vRecur | list[vRecur] | None", entry.get("RRULE"))
    if rule is None:
        return iter([one.start])
    if isinstance(rule, list):
        raise ValueError("it has several rules; accepted is one")  # noqa: TRY004 - of a file, not of a program
    since, until = (moment.astimezone(one.zone).replace(tzinfo=None) for moment in (start, end))
    return beginnings(rule, one.start, one.zone, since - one.length - timedelta(days=1), until)


def _dates(entry: Component, name: str) -> Iterator[Given]:
    """The single dates of EXDATE or RDATE, which may stand in one line or in several."""
    given = entry.get(name, [])
    for line in cast("list[_Listed]", given if isinstance(given, list) else [given]):
        yield from (_told(each.dt, line.params, name) for each in line.dts)


def _time(entry: Component, name: str) -> Given:
    found = cast("_Dated", entry[name])
    if found.params.get("RANGE"):
        raise ValueError(
            "it moves all occurrences that follow (RANGE); accepted are moves of one, and an entry of its own for the rest"
        )
    return _told(found.dt, found.params, name)


def _told(given: Given | timedelta, params: Mapping[str, str], name: str) -> Given:
    """A property's time; raises ValueError where it is none, or of a zone that nobody knows."""
    if not isinstance(given, date):
        raise ValueError(f"its {name} is no day and no moment; accepted are those")  # noqa: TRY004 - of a file, not of a program
    if isinstance(given, datetime) and given.tzinfo is None and "TZID" in params:
        accepted = "accepted are those of IANA, and what a VTIMEZONE of the file describes"
        raise ValueError(f"the time zone {params['TZID']!r} is not known; {accepted}")
    return given


def _shown(given: Given, one: _Entry) -> datetime:
    moment = _whole(given)
    return moment if moment.tzinfo is None else moment.astimezone(one.zone).replace(tzinfo=None)


def _utc(given: Given, timezone: str) -> datetime:
    moment = _whole(given)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)


def _whole(given: Given) -> datetime:
    """A moment, or the beginning of a day, without a zone."""
    return given if isinstance(given, datetime) else datetime.combine(given, time())


def _id(entry: Component) -> str:
    return str(entry.get("UID", ""))


def _name(entry: Component) -> str:
    return re.sub(f"[{UNPLAIN}]", " ", str(entry.get("SUMMARY", ""))).strip()[:MAX_NAME] or "event"
