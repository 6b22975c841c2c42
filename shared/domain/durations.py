"""Durations as people write them: "5d", "1 hour", "2mo". The one grammar, in requests, command line and settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from dateutil.relativedelta import relativedelta

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

ACCEPTED_FORMS = "a whole number, at least 1, and a unit: 30min, 1h, 5d, 2 weeks, 3mo (units: min, h, d, w, mo; or written out)"
WAIT_FORMS = "a whole number, at least 1, and a unit: 90s, 10min, 1h, 1d (units: s, min, h, d, w; or written out)"
PATTERN = r"[ \t\r\n]*([1-9][0-9]{0,4})[ \t\r\n]*(min|minutes?|h|hours?|d|days?|w|weeks?|mo|months?)[ \t\r\n]*"
MAX_TEXT = 100  # spaces and all

_GRAMMAR = re.compile(PATTERN)
_UNKNOWN = re.compile(r"\s*([1-9][0-9]{0,4})\s*(m|y|yrs?|years?|s|secs?|seconds?)\s*", re.ASCII | re.IGNORECASE)
_WAIT = re.compile(r"\s*([1-9][0-9]{0,5})\s*(?:s|secs?|seconds?)\s*", re.ASCII | re.IGNORECASE)
_SECONDS = {"min": 60, "h": 3_600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: `count` times `unit` (min, h, d, w or mo; months are calendar months).

    >>> str(Duration.parse("2 Weeks"))
    '2w'
    """

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a duration; raises ValueError naming the accepted forms."""
        match = _GRAMMAR.fullmatch(text.lower()) if text.isascii() and len(text) <= MAX_TEXT else None
        if match is None:
            raise ValueError(f"{text[:40]!r} is not a duration{instead_of(text)}; accepted is {ACCEPTED_FORMS}")
        count, word = int(match[1]), match[2]
        return cls(count, next(unit for unit in ("min", "mo", "h", "d", "w") if word.startswith(unit)))

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def is_fixed(self) -> bool:
        """Whether it always has the same number of seconds; months have not."""
        return self.unit != "mo"

    @property
    def seconds(self) -> int:
        """Length in seconds; raises ValueError for months."""
        if not self.is_fixed:
            raise ValueError(f"{self} has no fixed length")
        return self.count * _SECONDS[self.unit]

    def refuse_outside(self, least: Duration, most: Duration) -> None:
        """Raises ValueError for months, and for what is shorter or longer than these."""
        if not self.is_fixed or not least.seconds <= self.seconds <= most.seconds:
            raise ValueError(f"{self} is not accepted; accepted are lengths from {least} to {most}, not in months")

    def after(self, moment: datetime) -> datetime:
        """The moment this long after `moment` (31 January + 1mo = 28 February); raises ValueError beyond the year 9999."""
        return self._shifted(moment, 1)

    def before(self, moment: datetime) -> datetime:
        """The moment this long before `moment`; raises ValueError when that is before the year 1."""
        return self._shifted(moment, -1)

    def _shifted(self, moment: datetime, sign: int) -> datetime:
        delta = timedelta(seconds=self.seconds) if self.is_fixed else relativedelta(months=self.count)
        try:
            return moment + sign * delta
        except (OverflowError, ValueError) as error:  # the first from timedelta, the second from relativedelta
            side = "after" if sign > 0 else "before"
            raise ValueError(f"{self} {side} {moment.isoformat()} is outside of the calendar, years 1 to 9999") from error

    @classmethod
    def _coerce(cls, value: object) -> Duration:
        if isinstance(value, Duration):
            return value
        if not isinstance(value, str):
            raise ValueError(f"a duration is a text; accepted is {ACCEPTED_FORMS}")  # noqa: TRY004 - pydantic wants ValueError
        return cls.parse(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Written and read as its text, in requests, answers and documents alike."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            cls._coerce,
            json_schema_input_schema=core_schema.str_schema(pattern=f"^{PATTERN}$"),
            serialization=core_schema.to_string_ser_schema(),
        )


def seconds_to_wait(text: str) -> int:
    """As `Duration` reads it, and in seconds, which nothing but a wait is counted in; raises ValueError with what is accepted.

    >>> seconds_to_wait("90s"), seconds_to_wait("2h")
    (90, 7200)
    """
    if len(text) <= MAX_TEXT and (match := _WAIT.fullmatch(text)):
        return int(match[1])
    try:
        waited = Duration.parse(text)
    except ValueError as error:
        raise ValueError(str(error).replace(ACCEPTED_FORMS, WAIT_FORMS)) from error
    if not waited.is_fixed:
        raise ValueError(f"{waited} has no fixed length; accepted is {WAIT_FORMS}")
    return waited.seconds


def instead_of(text: str) -> str:
    """What to write instead of a unit that people expect and this grammar lacks; "" = nothing comes to mind.

    >>> instead_of("1y")
    '; years are written in days or months: 365d or 12mo'
    """
    match = _UNKNOWN.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        return ""
    count, unit = int(match[1]), match[2].lower()
    if unit == "m":
        return f"; m may be minutes or months: {count}min or {count}mo"
    if unit.startswith("y"):
        return f"; years are written in days or months: {365 * count}d or {12 * count}mo"
    return f"; seconds are not counted here, a minute is the least: {-(-count // 60)}min"
