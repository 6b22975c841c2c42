"""Fields of an answer, in JSON or XML, read by what is there: releases differ in which they have, and in how they write them.

A list with one entry may be that entry alone, an empty one "" or null; numbers may be texts, and "NaN" is no number.
Whatever else a field holds is told with its place, its name and what was found.
"""

from __future__ import annotations

import math
import re
import reprlib
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic_core import from_json

from shared.domain.capacities import Resources
from shared.domain.identifiers import shown
from shared.errors import YarnUnreadable
from shared.yarn.xml_document import document_of

MAX_NUMBER = 2**63  # YARN's own have 64 bits
NOT_NUMBERS = ("", "NaN", "Infinity", "-Infinity")
MAX_ENTRIES = 100_000  # of one list
NO_LIMIT = 2**31 - 1  # what YARN writes where there is none
_NOISE = 2e-7  # relative; single precision has 24 bits
_DIGITS = 7
_RESOURCES = re.compile(r"<memory:\s*(-?\d{1,19}),\s*vCores:\s*(-?\d{1,19})\b[^<>]{0,500}>", re.ASCII | re.IGNORECASE)
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one object of an answer; `where` tells it in errors."""

    values: Mapping[str, object]
    where: str

    def has(self, name: str) -> bool:
        """Whether there is such a field, and something in it."""
        return self.values.get(name) not in (None, "")

    def text(self, *names: str) -> str | None:
        """The first of these fields that there is; numbers are texts as well."""
        for name in filter(self.has, names):
            value = self.values[name]
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise self._refusal(name, "a text")
            return str(value)
        return None

    def number(self, name: str) -> float | None:
        """A number without the noise of single precision: 30.000002 is 30. None = none, or not a number at all."""
        value = self.values.get(name)
        if value is None or value in NOT_NUMBERS:
            return None
        try:
            number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.inf
        except (ValueError, OverflowError):
            number = math.inf
        if abs(number) > MAX_NUMBER:
            raise self._refusal(name, "a number of 64 bits")
        return None if math.isnan(number) else _without_noise(number)

    def whole(self, name: str) -> int | None:
        """A count; None = none, or what YARN writes for no limit: -1 and 2147483647."""
        number = self.number(name)
        return None if number is None or number < 0 or number == NO_LIMIT else int(number)

    def flag(self, name: str) -> bool | None:
        """Yes or no."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool):
            return value
        if not isinstance(value, str) or value.lower() not in _FLAGS:
            raise self._refusal(name, "true or false")
        return _FLAGS[value.lower()]

    def resources(self, *names: str) -> Resources | None:
        """The first of these fields that there is: an object, or a text such as <memory:0, vCores:0>; below 0 is not known."""
        for name in filter(self.has, names):
            memory, vcores = self._memory_and_vcores(name)
            if memory is not None and vcores is not None:
                return Resources(memory_mb=memory, vcores=vcores)
        return None

    def inside(self, name: str) -> Fields:
        """The fields of an object in this one; of none where there is none."""
        value = self.values.get(name)
        if value is None or value == "":
            return Fields({}, f"{name} of {self.where}")
        if not isinstance(value, Mapping):
            raise self._refusal(name, "an object")
        return Fields(value, f"{name} of {self.where}")

    def every(self, name: str) -> list[Fields]:
        """The objects of a list."""
        value = self.values.get(name)
        if value is None or value == "":
            return []
        entries = value if isinstance(value, list) else [value]
        objects = [entry for entry in entries if isinstance(entry, Mapping)]
        if len(objects) < len(entries) or len(objects) > MAX_ENTRIES:
            raise self._refusal(name, f"a list of at most {MAX_ENTRIES:,} objects")
        return [Fields(entry, f"{name} of {self.where}") for entry in objects]

    def _memory_and_vcores(self, name: str) -> tuple[int | None, int | None]:
        value = self.values[name]
        if isinstance(value, Mapping):
            fields = Fields(value, f"{name} of {self.where}")
            return fields._amount("memory"), fields._amount("vCores")
        match = _RESOURCES.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise self._refusal(name, "an object with memory and vCores")
        return _from_nothing(int(match[1])), _from_nothing(int(match[2]))

    def _amount(self, name: str) -> int | None:
        number = self.number(name)
        return 0 if number is None else _from_nothing(int(number))

    def _refusal(self, name: str, accepted: str) -> YarnUnreadable:
        return YarnUnreadable(f"{name} of {self.where} is {shown(reprlib.repr(self.values.get(name)))}; accepted is {accepted}")


def decoded(answer: bytes) -> Mapping[str, object]:
    """The object that an answer is, in JSON or XML; pydantic reads JSON in half the time that `json` takes."""
    plain = answer.removeprefix(BOM_UTF8)
    if plain.lstrip()[:1] == b"<":
        return document_of(plain)
    try:
        document = from_json(plain)
    except ValueError as error:
        raise YarnUnreadable(f"it is neither JSON nor XML: {error}") from None
    if not isinstance(document, Mapping):
        raise YarnUnreadable(f"it is JSON, but no object: {shown(plain[:60].decode(errors='replace'))}")
    return document


def _from_nothing(amount: int) -> int | None:
    return amount if amount >= 0 else None


def _without_noise(number: float) -> float:
    """The shortest number that single precision cannot tell from this one."""
    if number.is_integer():
        return number
    rounded = (round(number, digits) for digits in range(_DIGITS))
    return next((each for each in rounded if abs(each - number) <= _NOISE * abs(number)), number)
