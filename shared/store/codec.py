"""Value ↔ row, by what the tables declare: nobody writes a row field by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import cache, lru_cache
from math import isfinite
from operator import attrgetter, itemgetter
from typing import Any, TypeVar, cast, get_type_hints

from shared.domain.codec import from_json, to_json
from shared.domain.timegrid import EPOCH, from_epoch, to_epoch
from shared.store.tables import DOCUMENT, Column, Kind, Table

T = TypeVar("T")

Cell = str | int | float | None  # what a database keeps of a column
Row = Mapping[str, Any]  # as the database gives it: its values by the names of the columns


def _finite(number: float) -> float:
    if not isfinite(number):
        raise ValueError("a number that is not finite is not kept")
    return number


def _text(cell: object) -> str:
    if isinstance(cell, bytes):
        raise TypeError("a text is no UTF-8")
    return str(cell)


_TO_CELL: dict[Kind, Callable[[Any], Cell]] = {
    Kind.GRID: to_epoch,
    Kind.CLOCK: lambda moment: (moment - EPOCH) // timedelta(microseconds=1),  # exact
    Kind.FLAG: int,
    Kind.REAL: _finite,
}
_FROM_CELL: dict[Kind, Callable[[Any], object]] = {
    Kind.TEXT: _text,
    Kind.WHOLE: int,
    Kind.REAL: float,
    Kind.FLAG: bool,
    Kind.GRID: from_epoch,
    Kind.CLOCK: lambda micros: EPOCH + timedelta(microseconds=micros),
}


def to_row(table: Table[T], value: T) -> dict[str, Cell]:
    """The row of a value; raises ValueError when a number is not finite."""
    row = {name: None if (part := get(value)) is None else convert(part) for name, get, convert in _writer(table)}
    return row | {DOCUMENT: to_json(value, table.value)} if table.has_document else row


def to_cell(column: Column, value: Any) -> Cell:
    """What the column holds of a value, or of what it is compared with; raises ValueError when a number is not finite."""
    return None if value is None else _TO_CELL.get(column.kind, _plain)(value)


def from_row(table: Table[T], row: Row) -> T:
    """The value of a row; raises ValueError, LookupError or TypeError when it is none."""
    if table.is_asked_often:
        value: T = _remembered(table.value, row[DOCUMENT])  # type: ignore[arg-type] # every kind is hashable
        return value
    if table.has_document:
        return from_json(table.value, row[DOCUMENT])
    reader: Callable[[Row], T] = _reader(table)
    return reader(row)


@lru_cache(maxsize=4)  # of a running job the same text is read several times a queue; nobody changes a value
def _remembered(kind: type[T], text: str) -> T:
    return from_json(kind, text)


def from_cell(column: Column, cell: Any) -> object:
    """What a column says, as a value."""
    return None if cell is None and column.may_lack else _FROM_CELL[column.kind](cell)


def moment_of(micros: int) -> datetime:
    """The moment of a column that holds one of the wall clock."""
    return EPOCH + timedelta(microseconds=micros)


def _plain(value: object) -> Cell:
    return cast("Cell", value.value if isinstance(value, Enum) else value)


@cache
def _writer(table: Table[T]) -> Sequence[tuple[str, Callable[[object], object], Callable[[object], Cell]]]:
    """Of each column its name, what it is of a value, and how that becomes a cell; prepared once, as there are many values."""
    return [(column.name, _getter(column), _TO_CELL.get(column.kind, _plain)) for column in table.columns]


def _getter(column: Column) -> Callable[[object], object]:
    get = attrgetter(column.attribute)

    def get_if_there(value: object) -> object:
        try:
            return get(value)
        except AttributeError:  # `winner.model`, where nobody has won
            return None

    return get_if_there if column.may_lack else get


@cache
def _reader(table: Table[T]) -> Callable[[Row], T]:
    """Makes values of rows without a document; prepared once, as there are many of them."""
    return _builder(table.value, [(column.attribute.split("."), column) for column in table.columns])


def _builder(kind: Callable[..., T], attributes: Sequence[tuple[Sequence[str], Column]]) -> Callable[[Row], T]:
    own = [(path[0], column) for path, column in attributes if len(path) == 1]
    names, cells = [name for name, _ in own], itemgetter(*(column.name for _, column in own))
    converters = [_FROM_CELL[column.kind] for _, column in own]
    inner: dict[str, list[tuple[Sequence[str], Column]]] = {}
    for path, column in attributes:
        if len(path) > 1:
            inner.setdefault(path[0], []).append((path[1:], column))
    parts = [(name, _builder(get_type_hints(kind)[name], of_it)) for name, of_it in inner.items()]

    def build(row: Row) -> T:
        values = {name: convert(cell) for name, convert, cell in zip(names, converters, cells(row), strict=True)}
        for name, part in parts:
            values[name] = part(row)
        return kind(**values)

    return build
