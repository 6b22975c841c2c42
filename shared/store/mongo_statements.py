"""Our conditions as stages of an aggregation; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from shared.store.codec import Cell, to_cell
from shared.store.records import Between, Exists, Is, OneOf, Order, Where
from shared.store.tables import Table

T = TypeVar("T")

Filter = dict[str, object]
Stages = list[Filter]


def name_of(table: Table[T], column: str) -> str:
    """The field of a column: a key of one column is the document's id."""
    return "_id" if table.key == (column,) else column


def taken_by(table: Table[T], row: Mapping[str, Cell]) -> list[Filter]:
    """The filters for a document that has the key, or the unique columns, of this row; one without a value has none to share."""
    taken = [columns for columns in (table.key, table.unique) if columns and None not in map(row.get, columns)]
    return [{name_of(table, name): {"$eq": row[name]} for name in columns} for columns in taken]


def plain(table: Table[T], where: Where) -> Filter:
    """The filter of what a document says of itself; several conditions on one column all hold."""
    filters = [_one(table, condition) for condition in where if not isinstance(condition, Exists)]
    return {"$and": filters} if filters else {}


def matching(table: Table[T], where: Where) -> Stages:
    """Stages that keep the documents that match."""
    return [{"$match": plain(table, where)}, *joining(table, where)]


def joining(table: Table[T], where: Where) -> Stages:
    """Stages that keep the documents for which other collections have, or have not, what is asked."""
    return [stage for condition in where if isinstance(condition, Exists) for stage in _exists(table, condition)]


def sort_of(table: Table[T], order: Order) -> dict[str, int]:
    """The order of a `$sort`; that of the key where nothing is said."""
    return {name_of(table, name): 1 if goes_up else -1 for name, goes_up in order or [(name, True) for name in table.key]}


def preceding(table: Table[T], order: Order, before: Sequence[object]) -> Filter:
    """The filter for what comes strictly after `before` in an order that goes down."""
    names = [name_of(table, name) for name, _ in order]
    cells = [to_cell(table.by_name[name], value) for (name, _), value in zip(order, before, strict=True)]
    earlier = [
        dict(zip(names[:place], cells[:place], strict=True)) | {names[place]: {"$lt": cells[place]}}
        for place in range(len(names))
    ]
    return {"$or": earlier}


def newest(table: Table[T], group: Sequence[str]) -> Stages:
    """Stages that keep the newest document of each group."""
    return [
        {"$sort": dict.fromkeys(group, 1) | dict.fromkeys(table.newest, -1)},
        {"$group": {"_id": {name: f"${name}" for name in group}, "newest": {"$first": "$$ROOT"}}},
        {"$replaceRoot": {"newRoot": "$newest"}},
    ]


def _one(table: Table[T], condition: Is | OneOf | Between) -> Filter:
    column = table.by_name[condition.column]
    match condition:
        case Is(_, value):
            operators: Filter = {"$eq": to_cell(column, value)}
        case OneOf(_, values, not_):
            operators = {"$nin" if not_ else "$in": [to_cell(column, value) for value in values]}
        case Between(_, start, end):
            bounds = {"$gte": to_cell(column, start), "$lt": to_cell(column, end)}
            operators = {sign: cell for sign, cell in bounds.items() if cell is not None} or {"$ne": None}
    return {name_of(table, column.name): operators}


def _exists(table: Table[T], condition: Exists) -> Stages:
    """A lookup of one document; all fields but the first are compared in an expression, which needs them as variables."""
    other, (first, *rest) = condition.table, condition.same
    pairs = [(name, "$eq") for name in rest] + ([(condition.later, "$gt")] if condition.later is not None else [])
    compared = [{sign: [f"${name_of(other, name)}", f"$${name}"]} for name, sign in pairs]
    expression = {"$expr": {"$and": compared}} if compared else {}
    lookup = {
        "from": other.name,
        "localField": name_of(table, first),
        "foreignField": name_of(other, first),
        "let": {name: f"${name_of(table, name)}" for name, _ in pairs},
        "pipeline": [{"$match": plain(other, condition.where) | expression}, {"$limit": 1}, {"$project": {"_id": 1}}],
        "as": "others",
    }
    return [{"$lookup": lookup}, {"$match": {"others": [] if condition.not_ else {"$ne": []}}}, {"$unset": "others"}]
