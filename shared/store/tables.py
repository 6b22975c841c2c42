"""Tables: for each kind of record its key, the columns that can be asked for, the value it becomes, and how long it is kept.

A table is declared beside the part of the store that speaks of it, and made in a database as soon as somebody opens that. A
column is a copy of what the value says, so that a database can find, order and add up; the value itself is the `document`, as
JSON. Records of which there are millions are their columns and have no document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from shared.errors import NotFound

T = TypeVar("T")

DOCUMENT = "document"
TABLES: list[Table[Any]] = []  # every one that was declared


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    WHOLE = "whole number"
    REAL = "number"
    FLAG = "flag"  # 0 or 1
    GRID = "moment on a series' grid"  # whole seconds since 1970, UTC, as in every other place we write
    CLOCK = "moment of the wall clock"  # microseconds since 1970, UTC, since records are ordered by it


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, what it holds, and the attribute of the value it is a copy of.

    path: names with dots between; "" = the name of the column.
    may_lack: whether a record may have no value there.
    """

    name: str
    kind: Kind = Kind.TEXT
    path: str = ""
    may_lack: bool = False

    @property
    def attribute(self) -> str:
        """The attribute, with dots where it is one of an attribute."""
        return self.path or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long records are kept: by default until they are removed, on purpose or with others.

    by: the column of the moment that counts; setting: the one that says how long after it; "" = until then.
    each: the first columns of the key, by whose values old records are looked for where no index begins with `by`.
    """

    by: str = ""
    setting: str = ""
    each: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # each is one of a kind
class Table(Generic[T]):
    """One kind of record.

    value: the class of its values.
    key: columns; unique: further columns that no two records share, unless one of them lacks a value.
    indexes: columns of further indexes.
    newest: by which columns a record is newer than another of its group, the first one before the others.
    missing: raised when no record has a key.
    is_asked_often: whether a process reads the same record again and again, and remembers the few that it read last.
    """

    name: str
    value: type[T]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    unique: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    newest: tuple[str, ...] = ()
    missing: type[NotFound] = NotFound
    has_document: bool = True
    is_asked_often: bool = False
    kept: Kept = Kept()
    by_name: dict[str, Column] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})
        TABLES.append(self)


SERIES_COLUMNS = (
    *(Column("series_id"), Column("queue"), Column("metric"), Column("project"), Column("cluster")),
    *(Column("period_seconds", Kind.WHOLE, "step_seconds"), Column("aggregation")),
)
ISSUE_COLUMNS = (
    *(Column("job"), Column("issued_at", Kind.GRID), Column("job_id"), Column("created_at", Kind.CLOCK), Column("model")),
)
