"""Options of `queuecast backtest` that say what people know of the calendar, as they are typed, and what they stand for."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated
from zoneinfo import available_timezones

import typer

from shared.domain.occasions import Event, Excluded, Holidays, moment_or_day, moments_of
from shared.domain.texts import holidays_of
from shared.errors import UsageError
from worker.backtest.sample_options import names_of

EVENTS = typer.Option(help='[{"name": "release", "start": "2026-01-05", "end": "2026-01-05"}].', show_default="none")
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
    return {**days, "events": events_of(events, timezone), "exclude": excluded_of(exclude, timezone)}


def holidays_in(text: str) -> Holidays | None:
    """A country or a part of one, or those and the dates of a comma-separated list; None where there is neither."""
    names = names_of(text)
    try:
        return holidays_of(names[0] if len(names) == 1 and names[0][0].isalpha() else names) or None
    except ValueError as error:
        raise UsageError(f"--holidays {text!r}: {error}") from error


def events_of(text: str, timezone: str) -> tuple[Event, ...]:
    """The events of a JSON list, as a request has them; raises UsageError."""
    found = _special_times("--events", text, timezone, "name", "kind")
    return tuple(Event(name=texts["name"], kind=texts.get("kind", ""), start=start, end=end) for texts, start, end in found)


def excluded_of(text: str, timezone: str) -> tuple[Excluded, ...]:
    """The times of a JSON list that are known to be bad, as a request has them; raises UsageError."""
    found = _special_times("--exclude", text, timezone, "name")
    return tuple(Excluded(name=texts["name"], start=start, end=end) for texts, start, end in found)


def _special_times(option: str, text: str, timezone: str, needed: str, *others: str) -> list[_Special]:
    """The texts of each object, its start and its end."""
    try:
        return [_special_time(dict(given), timezone, needed, others) for given in json.loads(text or "[]")]
    except (ValueError, TypeError, KeyError) as error:
        names = ", ".join(("start", "end", needed, *others))
        raise UsageError(f"{option} {text[:60]!r}: accepted is a JSON list of objects with {names} ({error})") from error


def _special_time(given: dict[str, str], timezone: str, needed: str, others: tuple[str, ...]) -> _Special:
    start, end = moment_or_day(given.pop("start")), moment_or_day(given.pop("end"))
    if needed not in given or not given.keys() <= {needed, *others} or not all(isinstance(each, str) for each in given.values()):
        raise ValueError(f"found {', '.join(given) or 'no further'}")
    return given, *moments_of(start, end, timezone if timezone in available_timezones() else "UTC")
