"""Value ↔ JSON document: the one wire format of store, run state and HTTP answers.

Non-finite floats are refused on the way out: JSON has none, and no forecast may hold one.
"""

from __future__ import annotations

import json
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Optional, TypeVar, overload

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

Document = dict[str, Any]  # a JSON object, as `json` gives it

NOT_FINITE = "a {} with a number that is not finite has no document"
_CONSTANTS = (b"NaN", b"Infinity")  # what pydantic writes for such a number here; a text may have these words, too


@cache  # building one costs more than using it
def _adapter(kind: object) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)  # type: ignore[arg-type] # a kind that is known late


def to_json(value: object, kind: object = None) -> str:
    """The value's document as JSON text: times are ISO 8601 texts.

    Args:
        value: one of our dataclasses, or anything else that `kind` describes.
        kind: needed for unions and containers only.

    Raises:
        ValueError: a number is not finite.
    """
    text = _writer(kind or type(value)).dump_json(value)
    if any(constant in text for constant in _CONSTANTS):
        json.loads(text, parse_constant=partial(_refuse, type(value).__name__))
    return text.decode()


def to_said(value: object) -> Document:
    """The value's document as one would write it: what is at its default is left out."""
    kind: object = type(value)
    document: Document = _writer(kind).dump_python(value, mode="json", exclude_defaults=True)
    return document


@cache
def _writer(kind: object) -> TypeAdapter[object]:
    """An adapter that writes eight times as fast as `json`. Its settings reach a dataclass only inside of another type."""
    from pydantic import ConfigDict, TypeAdapter

    config = ConfigDict(ser_json_inf_nan="constants")
    return TypeAdapter(Optional[kind], config=config)  # type: ignore[arg-type] # noqa: UP045 - a kind that is known late


def _refuse(name: str, _constant: str) -> None:
    raise ValueError(NOT_FINITE.format(name))


def from_document(kind: type[T], document: object) -> T:
    """The value of this kind that a document describes; raises pydantic's ValidationError."""
    value: T = _adapter(kind).validate_python(document)  # type: ignore[arg-type] # every kind is hashable
    return value


@overload
def from_json(kind: type[T], text: str | bytes) -> T: ...
@overload
def from_json(kind: object, text: str | bytes) -> Any: ...  # a union, which is no class
def from_json(kind: object, text: str | bytes) -> object:
    """The value of this kind that a JSON text describes; raises pydantic's ValidationError."""
    return _adapter(kind).validate_json(text)
