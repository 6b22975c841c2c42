"""How many items a list of a request may have."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class Size:
    """Accepts lists and objects of `least` to `most` items, and counts them before it looks at any."""

    most: int
    least: int = 0

    def check(self, value: object) -> object:
        """The value itself; raises ValueError with how many are accepted."""
        if isinstance(value, list | tuple | dict) and not self.least <= len(value) <= self.most:
            raise ValueError(f"found {len(value)}, accepted are {self.least} to {self.most}")
        return value

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        inner = handler(schema)
        kind = "Properties" if inner.get("type") == "object" else "Items"
        return inner | ({f"min{kind}": self.least} if self.least else {}) | {f"max{kind}": self.most}
