"""Our records in one SQLite file. How the file is opened and shared: sqlite_file.py; conditions as SQL: sqlite_statements.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from shared.errors import RecordRefused
from shared.store.codec import Cell, Row, from_cell, to_row
from shared.store.reading import page, read_one
from shared.store.records import Order, Waiting, Where, of_key
from shared.store.sqlite_file import SqliteFile
from shared.store.sqlite_statements import Values, insert, matching, newest, ordered, preceding
from shared.store.tables import Kind, Table

T = TypeVar("T")

MAX_ROWS = 5_000  # of one transaction, so that no writer keeps the others waiting for long


class SqliteRecords:
    """Records in one SQLite file; safe for threads, processes and forks. Promises: records.py."""

    def __init__(self, path: Path, *, patience_seconds: float) -> None:
        self._file = SqliteFile(path, patience_seconds=patience_seconds)

    def add(self, table: Table[T], value: T) -> bool:
        row = to_row(table, value)
        with self._file.writing() as db:
            if db.execute(insert(table, replaces=False), row).rowcount:
                return True
            if not _is_there(db, table, row):
                raise RecordRefused("a unique index or a trigger of the database is in the way")
            return False

    def get(self, table: Table[T], *key: object) -> T:
        record = self.first(table, of_key(table, key))
        if record is None:
            raise table.missing(**dict(zip(table.key, key, strict=True)))
        return record

    def find(
        self,
        table: Table[T],
        where: Where = (),
        *,
        order: Order = (),
        limit: int | None = None,
        before: Sequence[object] | None = None,
        newest_of: Sequence[str] = (),
    ) -> list[T]:
        values: Values = []
        condition = newest(table, newest_of, where, values) if newest_of else matching(table, where, values)
        if before is not None:
            condition += f" AND {preceding(table, order, before, values)}"

        def fetch(most: int | None) -> list[Row]:
            bound = list(values)
            rest = ordered(table, order, most, bound)
            return db.execute(f"SELECT * FROM {table.name} AS this WHERE {condition} {rest}", bound).fetchall()  # noqa: S608 - ours

        with self._file.reading() as db:
            return page(table, fetch, limit)

    def first(self, table: Table[T], where: Where, *, order: Order = ()) -> T | None:
        values: Values = []
        condition = matching(table, where, values)
        rest = ordered(table, order, 1, values)
        with self._file.reading() as db:
            row = db.execute(f"SELECT * FROM {table.name} AS this WHERE {condition} {rest}", values).fetchone()  # noqa: S608 - ours
        return None if row is None else read_one(table, row)

    def update_if(self, table: Table[T], key: Sequence[object], change: Callable[[T], T | None]) -> bool:
        with self._file.writing() as db:
            new = change(self.get(table, *key))
            if new is not None:
                db.execute(insert(table, replaces=True), to_row(table, new))
        return new is not None

    def put_many(self, table: Table[T], values: Sequence[T]) -> None:
        rows = [to_row(table, value) for value in values]
        for first in range(0, len(rows), MAX_ROWS):
            with self._file.writing() as db:
                db.executemany(insert(table, replaces=True), rows[first : first + MAX_ROWS])

    def delete_some(self, table: Table[T], where: Where, *, order: Order = (), limit: int | None = None) -> int:
        values: Values = []
        key, condition = ", ".join(table.key), matching(table, where, values)
        rest = ordered(table, order, limit, values)
        old = f"SELECT {key} FROM {table.name} AS this WHERE {condition} {rest}"  # noqa: S608 - our names
        with self._file.writing() as db:
            return db.execute(f"DELETE FROM {table.name} WHERE ({key}) IN ({old})", values).rowcount  # noqa: S608 - our names

    def sum_by(self, table: Table[T], where: Where, by: str, columns: Sequence[str]) -> dict[object, dict[str, float]]:
        values: Values = []
        condition, added = matching(table, where, values), "".join(f", sum({name}) AS {name}" for name in columns)
        statement = (
            f"SELECT {by}, count(*) AS count{added} FROM {table.name} AS this WHERE {condition} GROUP BY {by} ORDER BY {by}"  # noqa: S608 - ours
        )
        with self._file.reading() as db:
            rows = db.execute(statement, values).fetchall()
        return {from_cell(table.by_name[by], row[by]): {name: row[name] for name in ("count", *columns)} for row in rows}

    def distinct(self, table: Table[T], columns: Sequence[str]) -> list[tuple[object, ...]]:
        kinds = [table.by_name[name].kind for name in columns]
        names, marks = ", ".join(columns), ", ".join("CAST(? AS TEXT)" if kind is Kind.TEXT else "?" for kind in kinds)
        first = f"SELECT {names} FROM {table.name} ORDER BY {names} LIMIT 1"  # noqa: S608 - our names
        later = f"SELECT {names} FROM {table.name} WHERE ({names}) > ({marks}) ORDER BY {names} LIMIT 1"  # noqa: S608 - our names
        tuples: list[tuple[object, ...]] = []
        with self._file.reading() as db:
            while row := db.execute(later if tuples else first, tuples[-1] if tuples else ()).fetchone():
                tuples.append(tuple(row))
        return [values for values in tuples if not any(isinstance(value, bytes) for value in values)]  # no UTF-8

    def has_any(self, table: Table[T]) -> bool:
        with self._file.reading() as db:
            return db.execute(f"SELECT 1 FROM {table.name} LIMIT 1").fetchone() is not None  # noqa: S608 - our names

    def together(self) -> AbstractContextManager[object]:
        """One transaction: what is written inside joins it."""
        return self._file.writing()

    @contextmanager
    def admitting(self, _account: str, _record_id: str, _weight: int, check: Callable[[Waiting], None]) -> Iterator[None]:
        """Inside, there is room: the transaction keeps all others out."""
        with self._file.writing():
            check({})
            yield

    def had_tokens(self) -> bool:
        return self._file.place.had_tokens()

    def note_tokens(self) -> None:
        with self._file.writing():
            self._file.place.note_tokens()

    def check(self) -> None:
        self._file.try_to_write()

    def close(self) -> None:
        self._file.close()


def _is_there(db: sqlite3.Connection, table: Table[T], row: Mapping[str, Cell]) -> bool:
    """Whether a record has the key, or the unique columns, of this row."""
    for columns in filter(None, (table.key, table.unique)):
        condition = " AND ".join(f"{name} = :{name}" for name in columns)
        if db.execute(f"SELECT 1 FROM {table.name} WHERE {condition}", row).fetchone():  # noqa: S608 - our names
            return True
    return False
