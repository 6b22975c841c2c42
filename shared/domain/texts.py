"""Texts that requests are made of, and what is accepted for each: said once, for the check, the message and the schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from shared.domain import identifiers

CONTROL = r"\x00-\x1f\x7f-\x9f"
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
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"pattern": f"^{self.pattern}$", "maxLength": self.most}


SHORT = Text(f"[^{CONTROL}]+", 200, "texts without control characters, not empty")
PlaceName = Annotated[
    str, Text(identifiers.PLACE, identifiers.MAX_NAME, "letters, digits, dots, - and _, beginning with a letter or _")
]
