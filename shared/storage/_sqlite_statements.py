"""Pieces of SQL that several parts of the SQLite store send. Names are ours, values are bound."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any


def insert(db: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]], on_conflict: str = "") -> None:
    """Insert rows, each column → value; `on_conflict` is the clause that follows."""
    for row in rows:
        columns, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks}) {on_conflict}", row)  # noqa: S608 - our names, bound values


def marks(values: Collection[object]) -> str:
    """As many question marks as there are values, for `IN (…)`."""
    return ", ".join("?" * len(values))
