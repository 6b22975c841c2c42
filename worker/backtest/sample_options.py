"""Options of `queuecast backtest` that say how files are read, as they are typed, and what they stand for in a request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import available_timezones

import typer

from shared.domain.aliases import Alias, check_alias
from shared.domain.durations import Duration
from shared.domain.samples import DELAYS, CsvForm, Fill, FillMethod, Scalar, Where
from shared.errors import InvalidRequest, UsageError

FORMER = typer.Option(help="What a queue was called before: OLD=NEW.", show_default="none")
_FILL = 'accepted is {"method": "interpolate", "previous_day" or "none", "longest": "6h"}, each of them or none'


def where_of(conditions: Sequence[str] | None) -> Where:
    """Conditions as FIELD=VALUE; several of one field let any of their values through. Raises UsageError."""
    where: dict[str, tuple[Scalar, ...]] = {}
    for condition in conditions or ():
        name, sign, value = condition.partition("=")
        if not sign or not name:
            raise UsageError(f"--where {condition!r}: accepted is FIELD=VALUE")
        where[name] = (*where.get(name, ()), value, *_other_forms(value))
    return where


def aliases_of(renamed: Sequence[str] | None) -> tuple[Alias, ...]:
    """Former names as OLD=NEW, one for each queue that was renamed; raises UsageError."""
    known: list[Alias] = []
    for text in renamed or ():
        old, _, new = text.partition("=")
        if not (old and new):
            raise UsageError(f"--former {text!r}: accepted is OLD=NEW, full names of a queue")
        try:
            check_alias(old, new, known)
        except InvalidRequest as error:
            raise UsageError(f"--former {text!r}: {error.detail}") from error
        known.append(Alias(cluster="", old=old, new=new, renamed_at=None, stated_at=datetime.now(UTC), stated_by=""))
    return tuple(known)


def csv_of(text: str) -> CsvForm:
    """How CSV files are written, as a request says it, "" = guessed; raises UsageError."""
    try:
        given = json.loads(text or "{}")
        form = CsvForm(**given)
    except (ValueError, TypeError):
        given, form = None, CsvForm()
    signs = [form.separator, form.decimal, form.thousands]
    is_written = all(sign is None or (isinstance(sign, str) and len(sign) == 1) for sign in signs)
    if (
        given is None
        or not is_written
        or form.decimal not in {None, ".", ","}
        or (form.decimal and form.decimal == form.thousands)
    ):
        accepted = 'accepted is {"separator": ";", "decimal": ",", "thousands": "."}, each of them or none, and no sign twice'
        raise UsageError(f"--csv {text!r}: {accepted}")
    return form


def fill_of(text: str) -> Fill:
    """How gaps are filled, as a request says it, "" = as usual; raises UsageError."""
    try:
        given = dict(json.loads(text or "{}"))
        method, longest = given.pop("method", None), given.pop("longest", None)
        fill = Fill(method=FillMethod(method) if method else None, longest=Duration.parse(str(longest)) if longest else None)
    except (ValueError, TypeError) as error:
        raise UsageError(f"--fill {text!r}: {_FILL}") from error
    if given:
        raise UsageError(f"--fill {text!r}: {_FILL}")
    return fill


def delay_of(text: str) -> Duration | None:
    """How late samples come, None = nothing is said; raises UsageError."""
    if not text:
        return None
    try:
        delay = Duration.parse(text)
        delay.refuse_outside(*DELAYS)
    except ValueError as error:
        raise UsageError(f"--ingestion-delay: {error}") from error
    return delay


def numbers_of(text: str) -> tuple[float, ...]:
    """The numbers of a comma-separated list; raises UsageError."""
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise UsageError(f"--missing-values {text!r}: accepted are numbers, separated by commas") from error


def names_of(text: str) -> tuple[str, ...]:
    """The names of a comma-separated list."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def queue_fields_of(text: str) -> str | tuple[str, ...]:
    """One column, or those of a comma-separated list, which make up the name together."""
    names = names_of(text)
    return names if len(names) > 1 else text


def zone_of(name: str) -> str | None:
    """The time zone, None = none is named; raises UsageError for one that does not exist."""
    if name and name not in available_timezones():
        raise UsageError(f"--samples-timezone {name!r}: accepted are IANA names such as Europe/Berlin")
    return name or None


def _other_forms(value: str) -> tuple[Scalar, ...]:
    """A typed value may be a number or a boolean besides."""
    if value.lower() in {"true", "false"}:
        return (value.lower() == "true",)
    try:
        return (float(value),)
    except ValueError:
        return ()
