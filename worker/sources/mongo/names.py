"""Names of queues and values of `where`, as MongoDB may hold them: 7 may be a number, a whole float or a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import isfinite

from bson import ObjectId
from bson.errors import InvalidId

from shared.domain.samples import Scalar
from shared.drivers.mongo import Document
from shared.errors import InvalidRequest

MAX_INTEGER = 2**63 - 1


def queue_text(value: object) -> str | None:
    """A queue's name as text, whatever type the collection gives it; None = no name: null, an array, a document, empty.

    A whole number has no point, as mongosh stores every 7 as 7.0.
    """
    match value:
        case bool():
            return None
        case float():
            return f"{value:.0f}" if value.is_integer() else str(value) if isfinite(value) else None
        case str() | int() | ObjectId():
            return str(value) or None
        case _:
            return None


def queue_filter(name: str) -> Document:
    """Matches every value whose `queue_text` is `name`, through an index."""
    forms = stored_forms(name)
    return {"$in": forms} if len(forms) > 1 else {"$eq": name}


def stored_forms(name: str) -> list[object]:
    """Every value whose `queue_text` is `name`; for MongoDB 7 and 7.0 are equal."""
    if not isinstance(name, str):
        raise InvalidRequest(f"found a queue of type {type(name).__name__}; accepted is a text", field="queues")
    makers: tuple[Callable[[str], object], ...] = (_integer, float, ObjectId)
    forms: list[object] = [name]
    for make in makers:
        with suppress(ValueError, InvalidId):
            forms += [value for value in (make(name),) if queue_text(value) == name]
    return forms


def value_filter(wanted: Sequence[Scalar]) -> Document:
    """Matches these values of `where`, and texts that say the same."""
    forms: list[object] = []
    for value in wanted:
        if isinstance(value, bool):
            forms += [value, str(value), str(value).lower()]
        else:
            own = queue_filter(queue_text(value) or str(value))
            forms += [*own.get("$in", [own.get("$eq")]), *([] if value != "" else [None])]
    return {"$in": forms}


def _integer(text: str) -> int:
    number = int(text)
    if abs(number) > MAX_INTEGER:
        raise ValueError(text)
    return number
