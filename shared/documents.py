"""Value ↔ JSON document: the one wire format of store, run state and HTTP answers.

Non-finite floats are refused on the way out: JSON has none, and no forecast may hold one.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_document(value: object, kind: Any = None) -> Any:
    """The value as plain dicts, lists, strings and numbers; times become ISO 8601 texts."""
    return _adapter(kind or type(value)).dump_python(value, mode="json")


def to_json(value: object, kind: Any = None) -> str:
    """The value as JSON text; `kind` is needed for unions and containers only."""
    return _adapter(kind or type(value)).dump_json(value).decode()


def from_document(kind: type[T], document: Any) -> T:
    """The value of this kind that a document describes; raises pydantic's ValidationError."""
    value: T = _adapter(kind).validate_python(document)
    return value


def from_json(kind: Any, text: str | bytes) -> Any:
    """The value of this kind that a JSON text describes; raises pydantic's ValidationError."""
    return _adapter(kind).validate_json(text)
