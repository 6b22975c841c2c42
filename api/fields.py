"""The texts, numbers and times that requests are made of, each with what it accepts.

Nothing is converted silently: "3" is no number, 1 is no text, and a time without a zone is no moment.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import PurePosixPath
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, Strict, WithJsonSchema

from shared.durations import Duration
from shared.jobs import Hyperparameter

CONTROL = r"\x00-\x1f\x7f-\x9f"
WORD = r"[a-z][a-z0-9_]{0,62}"
COLUMN = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"
PLACE = r"[A-Za-z_][A-Za-z0-9_.-]{0,119}"
FORBIDDEN_DATABASES = {"admin", "local", "config"}  # MongoDB's own
LARGEST_WHOLE_NUMBER = 2**53  # beyond it JSON's numbers lose digits
MOMENT_FORM = "ISO 8601 with a time zone, such as 2026-01-05T00:00:00Z (in an address, + is written %2B)"


def _matching(pattern: str, accepted: str) -> Callable[[str], str]:
    """A check that says in words what the pattern accepts."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"{text[:60]!r} is not accepted; accepted are {accepted}")
        return text

    return check


def _text(pattern: str, most: int) -> Any:
    return Field(max_length=most, json_schema_extra={"pattern": f"^{pattern}$"})


def _no_system(name: str) -> str:
    if name.startswith("system."):
        raise ValueError(f"{name!r} belongs to the database itself")
    return name


def _no_database_of_the_server(name: str) -> str:
    if name in FORBIDDEN_DATABASES:
        raise ValueError(f"{name!r} belongs to the database server itself")
    return name


def _inside(path: str) -> str:
    """A glob that cannot leave the connection's folder; the worker looks at links."""
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts or "\\" in path:
        raise ValueError(f"{path[:60]!r} may leave the folder of the connection; accepted is a path or glob below it, such as *.csv")
    return path


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:  # a malformed name, a folder of names, no such name
        raise ValueError(f"{name[:60]!r} is no time zone; accepted are IANA names such as Europe/Berlin") from error
    return name


def _moment(value: object) -> datetime:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # refused below, like a time without a zone
    raise ValueError(f"{str(value)[:40]!r} is no moment; accepted is {MOMENT_FORM}")


def _models(value: object) -> object:
    """One name stands for a list of one."""
    if isinstance(value, str) and value != "auto":
        return [value]
    if not isinstance(value, str | list):
        raise ValueError("accepted are auto, the name of a model, or a list of names")  # noqa: TRY004 - pydantic wants ValueError
    return value


def _holidays(value: object) -> object:
    """A country code, or dates."""
    if isinstance(value, str) and re.fullmatch("[A-Z]{2}", value):
        return value
    if isinstance(value, list) and all(isinstance(item, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", item, re.ASCII) for item in value):
        return [date.fromisoformat(item) for item in value]
    raise ValueError("accepted are a country code of two capital letters, such as DE, or a list of dates such as 2026-01-01")


def _hyperparameter(value: object) -> object:
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) <= LARGEST_WHOLE_NUMBER:
        return value
    if isinstance(value, str) and re.fullmatch(f"[^{CONTROL}]{{1,200}}", value):
        return value
    raise ValueError("accepted are numbers, short texts, true and false")


def _between(least: Duration, most: Duration) -> Callable[[Duration], Duration]:
    def check(duration: Duration) -> Duration:
        if not duration.is_fixed or not least.seconds <= duration.seconds <= most.seconds:
            raise ValueError(f"{duration} is not accepted; accepted are lengths from {least} to {most} (months have no fixed length)")
        return duration

    return check


Label = Annotated[str, _text(f"[^{CONTROL}]*", 200), AfterValidator(_matching(f"[^{CONTROL}]*", "texts without control characters"))]
Prose = Annotated[str, Field(max_length=2_000), AfterValidator(_matching(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*", "texts of several lines"))]
_TITLE = rf"([^\s{CONTROL}][^{CONTROL}]*)?[^\s\\{CONTROL}]"  # a tag of InfluxDB: never empty, no backslash at its end
Title = Annotated[
    str,
    _text(_TITLE, 200),
    AfterValidator(_matching(_TITLE, "texts without control characters, without spaces around them, not ending in a backslash")),
]
ModelName = Annotated[str, _text(WORD, 63), AfterValidator(_matching(WORD, "small letters, digits and _, beginning with a letter"))]
ColumnName = Annotated[str, _text(COLUMN, 120), AfterValidator(_matching(COLUMN, "names of letters, digits and _, joined by dots"))]
PlaceName = Annotated[
    str,
    _text(PLACE, 120),
    AfterValidator(_matching(PLACE, "letters, digits, dots, - and _, beginning with a letter or _")),
    AfterValidator(_no_system),
]
DatabaseName = Annotated[PlaceName, AfterValidator(_no_database_of_the_server)]
Document = Annotated[
    str, _text(f"[^{CONTROL}]+", 200), AfterValidator(_matching(f"[^{CONTROL}]+", "texts without control characters, not empty"))
]
QueueGlob = Annotated[
    str, _text(f"[^{CONTROL}]+", 200), AfterValidator(_matching(f"[^{CONTROL}]+", "names and globs without control characters"))
]
FilePath = Annotated[
    str,
    _text(f"[^{CONTROL}]+", 500),
    AfterValidator(_matching(f"[^{CONTROL}]+", "paths without control characters")),
    AfterValidator(_inside),
]
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Period = Annotated[Duration, AfterValidator(_between(Duration(1, "min"), Duration(1, "w")))]
Deadline = Annotated[Duration, AfterValidator(_between(Duration(1, "min"), Duration(7, "d")))]
WholeNumber = Annotated[int, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
HyperparameterValue = Annotated[Hyperparameter, BeforeValidator(_hyperparameter), Field(allow_inf_nan=False)]
