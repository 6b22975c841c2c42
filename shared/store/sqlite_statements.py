"""Our conditions and tables as SQL. Names are those of the tables, values are bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeVar

from shared.store.codec import Cell, to_cell
from shared.store.records import Between, Condition, Exists, Is, OneOf, Order, Where
from shared.store.tables import DOCUMENT, Kind, Table

T = TypeVar("T")

TYPES = {Kind.TEXT: "TEXT", Kind.REAL: "REAL"}  # all others are INTEGER

Values = list[Cell]


def schema_of(table: Table[T]) -> Iterator[str]:
    """What makes the table and its indexes, where they are missing."""
    columns = [
        f"{column.name} {TYPES.get(column.kind, 'INTEGER')}{'' if column.may_lack else ' NOT NULL'}" for column in table.columns
    ]
    columns += [f"{DOCUMENT} TEXT NOT NULL"] * table.has_document
    # what has a document is too long to be kept within the tree of its keys
    options = "STRICT" if table.has_document else "STRICT, WITHOUT ROWID"
    yield f"CREATE TABLE IF NOT EXISTS {table.name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(table.key)})) {options}"
    for index in table.indexes:
        yield f"CREATE INDEX IF NOT EXISTS {table.name}_by_{'_and_'.join(index)} ON {table.name} ({', '.join(index)})"
    if table.unique:  # NULL equals nothing
        yield f"CREATE UNIQUE INDEX IF NOT EXISTS {table.name}_unique ON {table.name} ({', '.join(table.unique)})"


@cache
def insert(table: Table[T], *, replaces: bool) -> str:
    """The statement that adds a row, by the names of its columns; one that is in the way stays, or is replaced."""
    names = [column.name for column in table.columns] + [DOCUMENT] * table.has_document
    marks = ", ".join(f":{name}" for name in names)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in table.key)
    on_conflict = f"({', '.join(table.key)}) DO UPDATE SET {changes}" if replaces else "DO NOTHING"
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks}) ON CONFLICT {on_conflict}"  # noqa: S608 - our names


def matching(table: Table[T], where: Where, values: Values, *, alias: str = "this") -> str:
    """The condition of a WHERE; what it compares with is added to `values`."""
    return " AND ".join(_one(table, condition, values, alias) for condition in where) or "TRUE"


def ordered(table: Table[T], order: Order, limit: int | None, values: Values) -> str:
    """ORDER BY and LIMIT."""
    columns = ", ".join(
        f"{name} {'ASC' if goes_up else 'DESC'}" for name, goes_up in order or [(name, True) for name in table.key]
    )
    if limit is None:
        return f"ORDER BY {columns}"
    values.append(limit)
    return f"ORDER BY {columns} LIMIT ?"


def preceding(table: Table[T], order: Order, before: Sequence[object], values: Values) -> str:
    """The condition that a record comes strictly after `before` in an order that goes down."""
    names = [name for name, _ in order]
    values += [to_cell(table.by_name[name], value) for name, value in zip(names, before, strict=True)]
    return f"({', '.join(names)}) < ({', '.join('?' * len(names))})"


def newest(table: Table[T], group: Sequence[str], where: Where, values: Values) -> str:
    """The condition that a record is the newest, of those that match, of its group."""
    (last, *ties), by = table.newest, ", ".join(group)
    condition = matching(table, where, values, alias="each")
    newest_of = f"SELECT {by}, max({last}) FROM {table.name} AS each WHERE {condition} GROUP BY {by}"  # noqa: S608 - our names
    same = " AND ".join(f"later.{name} = this.{name}" for name in (*group, last))
    is_later = " > ".join(f"({', '.join(f'{alias}.{name}' for name in ties)})" for alias in ("later", "this"))
    later = f"SELECT 1 FROM {table.name} AS later WHERE {same} AND {is_later}"  # noqa: S608 - our names
    return f"({by}, {last}) IN ({newest_of}) AND NOT EXISTS ({later})"


def _one(table: Table[T], condition: Condition, values: Values, alias: str) -> str:
    match condition:
        case Is(column, value):
            values.append(to_cell(table.by_name[column], value))
            return f"{alias}.{column} = ?"
        case OneOf(column, among):
            values += [to_cell(table.by_name[column], value) for value in among]
            return f"{alias}.{column} {'NOT ' * condition.not_}IN ({', '.join('?' * len(among))})"
        case Between(column, start, end):
            bounds = [(sign, value) for sign, value in ((">=", start), ("<", end)) if value is not None]
            values += [to_cell(table.by_name[column], value) for _, value in bounds]
            return " AND ".join(f"{alias}.{column} {sign} ?" for sign, _ in bounds) or f"{alias}.{column} IS NOT NULL"
        case Exists():
            return _exists(condition, values, alias)


def _exists(condition: Exists, values: Values, alias: str) -> str:
    joined = [f"other.{name} = {alias}.{name}" for name in condition.same]
    if condition.later is not None:
        joined.append(f"other.{condition.later} > {alias}.{condition.later}")
    joined.append(matching(condition.table, condition.where, values, alias="other"))
    exists = f"EXISTS (SELECT 1 FROM {condition.table.name} AS other WHERE {' AND '.join(joined)})"  # noqa: S608 - our names
    return f"NOT {exists}" if condition.not_ else exists
