"""Where data lie, and how that is written in requests, records and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from shared.domain.codec import Document
from shared.domain.collected import DEFAULT

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where data lie: a connection's name and what that kind of connection asks for; never a host or credential."""

    name: str
    database: str | None = None
    collection: str | None = None
    document: str | None = None
    measurement: str | None = None
    path: str | None = None
    others: Mapping[str, str] = field(default_factory=dict, hash=False)  # what kinds ask for that has no field here

    @property
    def given(self) -> dict[str, str]:
        """All that is said beside the connection's name."""
        named = {name: getattr(self, name) for name in _NAMED if name != "name"}
        return {name: value for name, value in named.items() if value is not None} | dict(self.others)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Flat in documents: the words of every kind of connection stand beside the name."""
        from pydantic_core import core_schema

        own: Any = handler.resolve_ref_schema(handler(source))
        ref = own.pop("ref")
        flat = core_schema.wrap_serializer_function_ser_schema(_spread, schema=own.copy())
        return core_schema.no_info_before_validator_function(_gathered, own, ref=ref, serialization=flat)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        own = handler.resolve_ref_schema(handler(schema))
        own["additionalProperties"] = own["properties"].pop("others", {}).get("additionalProperties", True)
        return own


PARTITION = "partition"  # what kinds call it that have several series of a queue, as a cluster of YARN has


def partition_of(place: Place) -> dict[str, tuple[str]]:
    """As a condition on rows which partition is read there; none where it is the one without a label, or there are none."""
    name = place.others.get(PARTITION, DEFAULT)
    return {} if name == DEFAULT else {PARTITION: (name,)}


_NAMED = tuple(own.name for own in fields(Place) if own.name != "others")


def _gathered(given: object) -> object:
    """A document's words, those that have no field here together."""
    if not isinstance(given, Mapping):
        return given
    others = {name: value for name, value in given.items() if name not in _NAMED and value is not None}
    return {name: value for name, value in given.items() if name in _NAMED} | {"others": others}


def _spread(place: Place, dump: core_schema.SerializerFunctionWrapHandler) -> Document:
    document: Document = dump(place)
    others: dict[str, str] = document.pop("others", {})
    return document | others
