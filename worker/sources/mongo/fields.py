"""Which fields a collection's documents have, and of what kind, learned from a few of them; and single values as numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from math import nan

from bson import Decimal128

from shared.domain.identifiers import is_column
from worker.sources._numbers import MAX_NUMBER
from worker.sources.base import NO_LIMIT, Query

Kinds = dict[str, Counter[str]]  # field (a.b for a nested one) → how many values are "number", "text", "date", "other"

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

IS_NOT_A_NUMBER = {"$exists": True, "$not": {"$type": ["number", "null"]}}


def number(value: object) -> float:
    """A value as MongoDB counts it among numbers, NaN for all else: text, infinity, what is absurdly large."""
    if isinstance(value, Decimal128):
        value = float(value.to_decimal())
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < MAX_NUMBER else nan  # type: ignore[arg-type]


def usable(query: Query, name: str, value: object) -> float | None:
    """What a pipeline's `clean` makes of a value: the number, NaN where there is none, None for what is there and of no use."""
    if value is None:
        return nan
    with suppress(ValueError):
        plain = float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else number(value)
        low, high = query.physical_range if name == query.target else (None, None)
        if plain in query.missing_values:
            return nan
        is_possible = (low is None or plain >= low) and (high is None or plain <= high) and plain not in NO_LIMIT
        return plain if is_possible and abs(plain) < MAX_NUMBER else None
    return None


def value_at(document: Mapping[str, object], name: str) -> object:
    """The value of a field, `a.b` inside the document `a`; None when there is none."""
    value: object = document
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def kinds_of(documents: Iterable[Mapping[str, object]]) -> Kinds:
    """The fields of all documents in order of appearance, without `_id` and nulls."""
    kinds: Kinds = {}
    for document in documents:
        for name, value in flat(document):
            kinds.setdefault(name, Counter())[_kind(value)] += 1
    kinds.pop("_id", None)
    return kinds


def numeric(kinds: Kinds) -> list[str]:
    """The fields that hold numbers at least as often as anything else."""
    return [name for name, counts in kinds.items() if counts["number"] * 2 >= counts.total()]


def textual(kinds: Kinds) -> list[str]:
    """The fields that mostly hold text."""
    return [name for name, counts in kinds.items() if counts["text"] * 2 > counts.total()]


def flat(document: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """The fields of a document and of those in it, but nulls, and names that a query reads otherwise: `$a`, or a dot in them."""
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        elif value is not None and "." not in name and is_column(prefix + name):
            yield prefix + name, value


def _kind(value: object) -> str:
    match value:
        case bool():
            return "other"
        case int() | float() | Decimal128():
            return "number"
        case str():
            return "text"
        case datetime():
            return "date"
        case _:
            return "other"
