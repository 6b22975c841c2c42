"""Options of `queuecast backtest` that say what people know of the calendar, as they are typed, and what they stand for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

import typer

from shared.domain.occasions import ICAL, Event, EventFile, Excluded, Holidays, moment_or_day, moments_of
from shared.domain.texts import holidays_of
from shared.errors import UsageError
from worker.backtest.sample_options import names_of

EVENTS = typer.Option(
    help='[{"name": "fair", "start": "2026-01-05", "end": "2026-01-06"}], or an iCal file.', show_default="none"
)
EXCLUDE = typer.Option(help="Likewise: times known to be bad, of which nothing is learned.", show_default="none")
_Special = tuple[dict[str, str], datetime, datetime]


def calendar_of(
    *,
    timezone: Annotated[str, typer.Option(help="Of days and weeks, and of steps of whole days.")] = "UTC",
    holidays: Annotated[str, typer.Option(help="DE, DE-BY or dates, separated by commas.", show_default="none")] = "",
    events: Annotated[str, EVENTS] = "",
    exclude: Annotated[str, EXCLUDE] = "",
) -> dict[str, object]:
    """What the options ask for, by the names that a request has for it; raises UsageError with what is accepted."""
    days = {"timezone": timezone, "holidays": holidays_in(holidays)}
    return {**days, "events": (*events_of(events, timezone), *event_files_of(events)), "exclude": excluded_of(exclude, timezone)}


def holidays_in(text: str) -> Holidays | None:
    """A country or a part of one, or those and the dates of a comma-separated list; None where there is neither."""
    names = names_of(text)
    try:
        return holidays_of(names[0] if len(names) == 1 and names[0][0].isalpha() else names) or None
    except ValueError as error:
        raise UsageError(f"--holidays {text!r}: {error}") from error


def events_of(text: str, timezone: str) -> tuple[Event, ...]:
    """The events of a JSON list, as a request has them, but for its files; raises UsageError."""
    spelled = [given for given in _objects("--events", text) if "ical" not in given]
    found = _special_times("--events", spelled, timezone, "name", "kind")
    return tuple(Event(name=texts["name"], kind=texts.get("kind", ""), start=start, end=end) for texts, start, end in found)


def event_files_of(text: str) -> tuple[EventFile, ...]:
    """The iCal files of a JSON list, or the one that is named alone, in the folders that they lie in; raises UsageError."""
    return tuple(_event_file(given) for given in _objects("--events", text) if "ical" in given)


def excluded_of(text: str, timezone: str) -> tuple[Excluded, ...]:
    """The times of a JSON list that are known to be bad, as a request has them; raises UsageError."""
    found = _special_times("--exclude", _objects("--exclude", text), timezone, "name")
    return tuple(Excluded(name=texts["name"], start=start, end=end) for texts, start, end in found)


def _objects(option: str, text: str) -> list[dict[str, str]]:
    if text.lower().endswith(ICAL):
        return [{"ical": text}]
    try:
        given = json.loads(text or "[]")
    except ValueError as error:
        raise UsageError(f"{option} {text[:60]!r}: it is no JSON ({error}); accepted is a JSON list of objects") from error
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise UsageError(f"{option} {text[:60]!r}: accepted is a JSON list of objects")
    return given


def _event_file(given: Mapping[str, str]) -> EventFile:
    path = Path(str(given["ical"]))
    if not given.keys() <= {"ical", "kind"} or not path.is_file():
        raise UsageError(
            f"--events: found {str(path)[:60]!r}; accepted is an iCal file that is there, alone or as ical beside kind"
        )
    return EventFile(ical=path.name, name=str(path.resolve().parent), kind=str(given.get("kind", "")))


def _special_times(option: str, listed: list[dict[str, str]], timezone: str, needed: str, *others: str) -> list[_Special]:
    """The texts of each object, its start and its end."""
    try:
        return [_special_time(dict(given), timezone, needed, others) for given in listed]
    except (ValueError, TypeError, KeyError) as error:
        names = ", ".join(("start", "end", needed, *others))
        raise UsageError(
            f"{option} {json.dumps(listed)[:60]!r}: accepted is a JSON list of objects with {names} ({error})"
        ) from error


def _special_time(given: dict[str, str], timezone: str, needed: str, others: tuple[str, ...]) -> _Special:
    start, end = moment_or_day(given.pop("start")), moment_or_day(given.pop("end"))
    if needed not in given or not given.keys() <= {needed, *others} or not all(isinstance(each, str) for each in given.values()):
        raise ValueError(f"found {', '.join(given) or 'no further'}")
    return given, *moments_of(start, end, timezone if timezone in available_timezones() else "UTC")
