"""Texts that requests are made of, and what is accepted for each: said once, for the check, the message and the schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated

from shared.domain import identifiers
from shared.domain.holiday_codes import known_code
from shared.domain.occasions import Holidays
from shared.domain.series import CLUSTER, MAX_CLUSTER

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

CONTROL = r"\x00-\x1f\x7f-\x9f"
UNPLAIN = CONTROL + r"\u2028\u2029" + identifiers.BIDI_CONTROLS  # control characters, line separators, bidirectional controls
COUNTRY = "[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?"  # ISO 3166, with parts
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
MAX_DATES = 1_000
MAX_CODES = 50
_HALF_A_CHARACTER = re.compile(r"[\ud800-\udfff]")  # JSON can say it, no store can keep it


@dataclass(frozen=True, slots=True)
class Text:
    """Accepts the texts that match `pattern` and have at most `most` characters; `accepted` says so in words."""

    pattern: str
    most: int
    accepted: str

    def check(self, text: str) -> str:
        """The text itself; raises ValueError with what is accepted."""
        if len(text) > self.most or not re.fullmatch(self.pattern, text) or _HALF_A_CHARACTER.search(text):
            raise ValueError(f"{text[:60]!r} is not accepted; accepted are {self.accepted}, at most {self.most} characters")
        return text

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"pattern": f"^{self.pattern}$", "maxLength": self.most}


SHORT = Text(f"[^{CONTROL}]+", 200, "texts without control characters, not empty")
ClusterName = Annotated[str, Text(CLUSTER, MAX_CLUSTER, "letters, digits, _, . and -, beginning with a letter or digit")]
PlaceName = Annotated[
    str, Text(identifiers.PLACE, identifiers.MAX_NAME, "letters, digits, dots, - and _, beginning with a letter or _")
]
PolicyName = Annotated[
    str, Text(identifiers.POLICY, identifiers.MAX_NAME, "letters, digits, dots, - and _, beginning with a letter, a digit or _")
]


def holidays_of(given: object) -> Holidays:
    """Holidays: the code, or the codes and days that a list of texts stands for; raises ValueError with what is accepted."""
    if isinstance(given, str) and re.fullmatch(COUNTRY, given):
        return known_code(given)
    if isinstance(given, list | tuple) and len(given) <= MAX_DATES and all(map(_is_holiday, given)):
        found = tuple(known_code(each) if re.fullmatch(COUNTRY, each) else date.fromisoformat(each) for each in given)
        if sum(isinstance(each, str) for each in found) <= MAX_CODES:
            return found
    raise ValueError(
        f"accepted are a country code such as DE, that of a part such as DE-BY, at most {MAX_DATES} dates such as 2026-01-01,"
        f" and a list of both with at most {MAX_CODES} codes"
    )


def _is_holiday(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(f"{DAY}|{COUNTRY}", value) is not None
