"""When an entry of an iCal file begins: its rule (RFC 5545, RRULE), spelled out by dateutil within a time.

Rules are other people's: those finer than days, those that begin long ago and those that never come true are refused, so that no
rule keeps a worker busy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icalendar import vRecur

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
FINE_PARTS = ("BYSECOND", "BYMINUTE", "BYHOUR", "BYEASTER")  # each multiplies the occurrences within a day
FIRST_YEAR = 1970
MAX_OCCURRENCES = 20_000  # of one rule, from its beginning on: fifty years of days


def beginnings(rule: vRecur, first: datetime, zone: tzinfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """When it begins between two times, on its own clock.

    Args:
        first: its first beginning, which counts whether the rule says so or not; without a zone, like what is returned.
        zone: of its clock.
        since, until: of the same clock.

    Raises:
        ValueError: the rule is none that is accepted.
    """
    _refuse(rule, first)
    last = min(until, _end_of(rule, zone) or until)
    if since <= first <= last:
        yield first
    number = 0
    for number, shown in enumerate(_endless(rule, first), start=1):
        if number > MAX_OCCURRENCES:
            raise ValueError(f"it recurs more than the accepted {MAX_OCCURRENCES:,} times")
        if shown > last:
            break
        if shown >= since and shown != first:
            yield shown
    if not number:  # it took seconds to find out, and another such rule would take as long
        raise ValueError("its rule never comes true; accepted are rules of days that there are")


def _endless(rule: vRecur, first: datetime) -> Iterable[datetime]:
    """As the rule says, without its end: one that never comes true must be told from one that has ended."""
    from dateutil.rrule import rrulestr

    spelled: bytes = rule.to_ical()  # type: ignore[no-untyped-call]
    parts = (part for part in spelled.decode().split(";") if not part.upper().startswith("UNTIL="))
    return rrulestr(";".join(parts), dtstart=first)


def _refuse(rule: vRecur, first: datetime) -> None:
    frequency = str(rule.get("FREQ", [""])[0]).upper()
    if frequency not in FREQUENCIES:
        raise ValueError(f"it recurs {frequency or 'without FREQ'}; accepted are {', '.join(FREQUENCIES)}")
    if fine := [part for part in FINE_PARTS if part in rule]:
        raise ValueError(f"its rule has {fine[0]}; accepted are rules of days, weeks, months and years")
    if first.year < FIRST_YEAR:
        raise ValueError(f"it recurs since {first.year}; accepted are beginnings from {FIRST_YEAR} on")


def _end_of(rule: vRecur, zone: tzinfo) -> datetime | None:
    """Until when it recurs, on its own clock; a day is part of it."""
    if "UNTIL" not in rule:
        return None
    until: datetime | date = rule["UNTIL"][0]
    if not isinstance(until, datetime):
        return datetime.combine(until, time()) + timedelta(days=1, seconds=-1)
    return until.astimezone(zone).replace(tzinfo=None) if until.tzinfo else until
