"""One queue's samples out of one file: the right rows, the right columns, times as UTC, cells as numbers; all else counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from shared.domain.identifiers import listed
from shared.errors import SourceNotFound, UnreadableData
from worker.sources._numbers import is_number_type, read_numbers, without_null_words
from worker.sources._tables import Table
from worker.sources._times import read_times
from worker.sources.base import Query

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What one file has of a queue.

    frame: index = timestamps (UTC, as they came: unsorted, repeated), float columns, NaN where a cell is no finite number.
    assumed: what was assumed about the timestamps. unreadable_times, broken_rows, text_cells: what was left out, counted.
    text_columns: columns that nobody asked for by name and that hold no numbers. unread: what to say of more than are read.
    """

    frame: pd.DataFrame
    has_queue_column: bool
    is_aware: bool
    assumed: str | None
    unreadable_times: int
    broken_rows: int
    text_cells: int
    text_columns: tuple[str, ...]
    unread: str | None


def rows_of_queue(table: Table, query: Query) -> pa.Table | None:
    """The file's rows of the queue with the columns to use, or None when it has none.

    Raises:
        UnreadableData: the file is broken. SourceNotFound: it holds the queue and lacks a column.
    """
    if table.own_queue(query.queue_field) not in {None, query.queue}:
        return None
    needed = (query.time_field, *query.required)
    if missing := [name for name in needed if name not in table.columns]:
        if query.queue not in table.queue_names(query.queue_field):
            return None
        raise SourceNotFound(f"found no column {missing[0]!r}, there are {listed(table.columns)}", file=table.name)
    _refuse_nested(table, (query.queue_field, *needed))
    if not query.target and (unread := query.note_unnamed(len(_unnamed(table, query)))):
        raise UnreadableData(unread, file=table.name)
    numeric = [name for name in _others(table, query) if table.is_csv or is_number_type(table.columns[name])]
    rows = table.rows(query.queue, query.queue_field, list(dict.fromkeys((*needed, *numeric))))
    return rows if rows.num_rows else None


def read_samples(table: Table, rows: pa.Table, query: Query) -> Samples:
    """What `rows_of_queue` found, as times and numbers; raises UnreadableData when a column is neither."""
    if table.is_csv:
        rows = rows.from_arrays([without_null_words(column) for column in rows.columns], rows.column_names)
    times = read_times(rows[query.time_field], file=table.name, column=query.time_field)
    cells = {name: read_numbers(rows[name], from_text=table.is_csv) for name in rows.column_names if name != query.time_field}
    numbers = {name: column for name, column in cells.items() if column is not None}
    if refused := [name for name in query.required if name not in numbers]:
        raise UnreadableData(_no_numbers(rows[refused[0]]), file=table.name, column=refused[0])
    frame = pd.DataFrame({name: column.values for name, column in numbers.items()}, index=times.moments)
    timed = frame[frame.index.notna()]
    return Samples(
        frame=timed,
        has_queue_column=query.queue_field in table.columns,
        is_aware=times.is_aware,
        assumed=times.note,
        unreadable_times=len(frame) - len(timed),
        broken_rows=table.broken_rows.total(),
        text_cells=sum(column.texts for column in numbers.values()),
        text_columns=tuple(name for name in _others(table, query) if name not in numbers),
        unread=query.note_unnamed(len(_unnamed(table, query))),
    )


def _others(table: Table, query: Query) -> list[str]:
    """The columns that come along when none are asked for by name, unless they are too many."""
    unnamed = _unnamed(table, query)
    return [] if query.note_unnamed(len(unnamed)) else unnamed


def _unnamed(table: Table, query: Query) -> list[str]:
    """The columns that nobody has named, when none are; pandas' row numbers are none."""
    if query.columns is not None:
        return []
    known = {query.time_field, query.queue_field, query.target, ""}  # "": the row numbers in a CSV
    return [name for name in table.columns if name not in known and not name.startswith("__index_level_")]


def _refuse_nested(table: Table, names: Iterable[str]) -> None:
    """Raises UnreadableData for a column of lists or structures, before one of them is decoded."""
    import pyarrow.types as kind

    for name in names:
        if name in table.columns and kind.is_nested(table.columns[name]):
            type_name = str(table.columns[name])[:40]
            raise UnreadableData(f"found {type_name}; accepted are single values", file=table.name, column=name)


def _no_numbers(column: pa.ChunkedArray) -> str:
    example = str(column.drop_null()[0].as_py())[:40]
    return f"found {column.type} such as {example!r}; accepted are numbers, stored as numbers, with a decimal point"
