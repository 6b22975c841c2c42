"""Holidays as requests and commands name them: a country, a part of one, or the dates themselves."""

from __future__ import annotations

import re
from datetime import date

CODE = "[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?"  # ISO 3166; which codes there are only a worker knows
MAX_DATES = 1_000
ACCEPTED = f"a country code such as DE, that of a part such as DE-BY, or at most {MAX_DATES} dates such as 2026-01-01"

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def holidays_of(given: object) -> str | tuple[date, ...]:
    """The code or the dates that a text or a list of texts stands for; raises ValueError with what is accepted."""
    if isinstance(given, str) and re.fullmatch(CODE, given):
        return given.upper()
    if isinstance(given, list | tuple) and len(given) <= MAX_DATES and all(map(_is_day, given)):
        return tuple(map(date.fromisoformat, given))
    raise ValueError(f"accepted are {ACCEPTED}")


def _is_day(value: object) -> bool:
    return isinstance(value, str) and _DAY.fullmatch(value) is not None
