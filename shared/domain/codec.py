"""Value ↔ JSON document: the one wire format of store, run state and HTTP answers.

Non-finite floats are refused on the way out: JSON has none, and no forecast may hold one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, overload

from pydantic import TypeAdapter

T = TypeVar("T")

Document = dict[str, Any]  # a JSON object, as `json` gives it

NOT_FINITE = "a {} with a number that is not finite has no document"

_adapter: Callable[[object], TypeAdapter[Any]] = cache(TypeAdapter)  # building one costs more than using it


def to_json(value: object, kind: object = None) -> str:
    """The value's document as JSON text: times are ISO 8601 texts.

    Args:
        value: one of our dataclasses, or anything else that `kind` describes.
        kind: needed for unions and containers only.

    Raises:
        ValueError: a number is not finite.
    """
    document = _adapter(kind or type(value)).dump_python(value, mode="json")
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise ValueError(NOT_FINITE.format(type(value).__name__)) from error


def from_document(kind: type[T], document: object) -> T:
    """The value of this kind that a document describes; raises pydantic's ValidationError."""
    value: T = _adapter(kind).validate_python(document)
    return value


@overload
def from_json(kind: type[T], text: str | bytes) -> T: ...
@overload
def from_json(kind: object, text: str | bytes) -> Any: ...  # a union, which is no class
def from_json(kind: object, text: str | bytes) -> object:
    """The value of this kind that a JSON text describes; raises pydantic's ValidationError."""
    return _adapter(kind).validate_json(text)
