"""Special times that people know of: holidays and events, past and future."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, cast
from zoneinfo import ZoneInfo

from shared.domain.timegrid import MAX_TIME, MIN_TIME
from shared.domain.wording import json_kind

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


class _FirstThatFits:
    """Of a union: the first of its kinds that a value can be."""

    @staticmethod
    def __get_pydantic_core_schema__(source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return cast("CoreSchema", {**handler(source), "mode": "left_to_right"})


# The code of a country, or of a part of it, or a day; whatever can be a day is one.
Holiday = Annotated[date | str, _FirstThatFits]
Holidays = str | tuple[Holiday, ...]

HOLIDAY = "holiday"  # the kind of all of them
MAX_EVENTS = 1_000
ICAL = ".ics"  # how iCal files end
MAX_EVENT_FILES = 5
LONGEST = timedelta(days=366)
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A known special time, [start, end); those of one kind are expected to do alike. "" = as its name is its kind."""

    name: str
    start: datetime
    end: datetime
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFile:
    """An iCal file with events, which is read whenever something is forecast. Stored as requests spell it.

    ical: its path in the folder of a connection; name: that of the connection; kind: of all its events, "" = as each is called.
    """

    ical: str
    name: str
    kind: str = ""


SpecialTimes = tuple[Event | EventFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """A time known to be bad, [start, end): an incident, maintenance. Nothing is learned from it, and nothing scored on it."""

    name: str
    start: datetime
    end: datetime


def moment_or_day(given: object) -> datetime | date:
    """What a text stands for: a whole day, or a moment with its time zone; raises ValueError with what is accepted."""
    try:
        if isinstance(given, str) and re.fullmatch(_DAY, given):
            return date.fromisoformat(given)
        moment = datetime.fromisoformat(given if isinstance(given, str) else "")
        if moment.tzinfo is not None and MIN_TIME <= moment < MAX_TIME:
            return moment.astimezone(UTC)
    except ValueError:
        pass  # refused below, like a time without a zone
    shown = repr(given[:40]) if isinstance(given, str) else json_kind(given)
    accepted = "a day such as 2026-01-05, which is one of `timezone`, and a moment with its zone such as 2026-01-05T08:00:00Z"
    raise ValueError(f"{shown} is not accepted; accepted are {accepted}, from {MIN_TIME.year} to {MAX_TIME.year - 1}")


def moments_of(start: datetime | date, end: datetime | date, timezone: str) -> tuple[datetime, datetime]:
    """Start and end as moments, in UTC; raises ValueError where they are none of a special time."""
    moments = moment_of(start, timezone), moment_of(end, timezone, is_end=True)
    if not timedelta(0) < moments[1] - moments[0] <= LONGEST:
        raise ValueError(
            f"it begins {start} and ends {end}; accepted are ends after their beginnings, by {LONGEST.days} days at most"
        )
    return moments


def moment_of(given: datetime | date, timezone: str, *, is_end: bool = False) -> datetime:
    """The moment meant, in UTC: of a day its beginning on the wall clock of the time zone, or its end."""
    if isinstance(given, datetime):
        return given.astimezone(UTC)
    day = given + timedelta(days=1) if is_end else given
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)
