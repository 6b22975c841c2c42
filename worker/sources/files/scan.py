"""One scan over all queues of a place: each file is read once, and what it has of every wanted queue is kept by queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from shared.errors import DataError, UnreadableData
from worker.sources._moments import MICROSECONDS, utc
from worker.sources._times import read_times
from worker.sources.base import MAX_TOGETHER, Query, check_count, fitting_together
from worker.sources.files.layout import Layout, known_columns, missing_column, missing_in
from worker.sources.files.listing import Files, size_of
from worker.sources.files.parts import Asked, FileRows, Part, Room, TooMuch, parts_of, value_columns
from worker.sources.files.row_groups import are_apart
from worker.sources.files.rows import names_in, queue_names, row_columns, wanted_rows
from worker.sources.files.tables import Table, open_table, reading
from worker.sources.files.wide import wide_names, wide_parts

MAX_FILE_BYTES = 128 << 20  # of their files: seconds
MAX_FILES = 64  # of a queue each
MAX_TABLES_LOOKED_AT = 20
PACKED = 8  # about so many times the bytes are in a Parquet file
MAX_BYTES = 160 << 20  # of samples that are kept at a time: a year of a CSV, every ten seconds; what is made of them takes more


@dataclass(slots=True)
class Found:
    """What the files have of the queues that are wanted.

    parts: of each queue, in the order of the files. errors: queues that cannot be read, and why. broken: files that turned out
    not to be readable. nameless: rows that belong to no queue, by file. rows: how many there are of all queues and of none.
    notes: what was met in each, whosever it is. doubts: what of that people should look at.
    """

    parts: dict[str, list[Part]] = field(default_factory=dict)
    errors: dict[str, DataError] = field(default_factory=dict)
    broken: dict[str, UnreadableData] = field(default_factory=dict)
    nameless: list[Part] = field(default_factory=list)
    rows: int = 0
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)

    def notes_of(self, tables: Iterable[Table]) -> Iterator[str]:
        """What was met in these files, once."""
        yield from dict.fromkeys(note for table in tables for note in self.notes.get(table.name, ()))


class BrokenForSome(Exception):  # noqa: N818 # no error: the caller asks for fewer queues at a time
    """A file is broken in a part that not all of the queues have rows in."""


def found_in(files: Files, layout: Layout, query: Query, names: Sequence[str]) -> Iterator[tuple[Sequence[str], Found]]:
    """Read the files once for all the queues, where each file is a queue only those of each."""
    if not layout.is_by_file:
        yield from _found_together(files, layout, query, names)
        return
    own: dict[str, dict[str, Table]] = {}
    for table in layout.tables.values():
        own.setdefault(Path(table.name).stem, {})[table.name] = table
    for name in names:
        yield from _found_together(files, replace(layout, tables=own.get(name, {})), query, [name])


def _found_together(files: Files, layout: Layout, query: Query, names: Sequence[str]) -> Iterator[tuple[Sequence[str], Found]]:
    """By one look for all the queues; where that is too much, or breaks for some only, by one for each half."""
    with suppress(TooMuch, BrokenForSome):
        found = _scan(files, Asked(layout=layout, query=query, names=names))
        yield names, found
        return
    if len(names) == 1:
        reason = f"its rows take more than the accepted {MAX_BYTES >> 20} MiB"
        yield names, Found(errors={names[0]: UnreadableData(reason, queue=names[0])})
        return
    middle = len(names) // 2
    yield from _found_together(files, layout, query, names[:middle])
    yield from _found_together(files, layout, query, names[middle:])


def queues_together(files: Files, layout: Layout, query: Query, queues: int) -> int:
    """How many queues one scan should be for, of so many that the files have."""
    columns = max(len(value_columns(table, query)[0]) for table in list(layout.tables.values())[:MAX_TABLES_LOOKED_AT])
    size = sum(size_of(path) * (PACKED if name.lower().endswith(".parquet") else 1) for name, path in files.paths.items())
    most = min(fitting_together(query, columns), MAX_FILE_BYTES * queues // max(1, size))
    return max(1, min(most, MAX_FILES if layout.is_by_file else MAX_TOGETHER))


def every_name(files: Files, layout: Layout, query: Query) -> tuple[set[str], dict[str, UnreadableData]]:
    """Every queue of the files, and what is wrong with those that look well and cannot be read."""
    names: set[str] = set()
    errors: dict[str, UnreadableData] = {}
    for look in layout.useful(query):
        try:
            with open_table(files, look.name, query.csv, known_columns(query)) as table, reading(look.name):
                names |= wide_names(table, query) if query.queues_from_columns else _names(table, layout, query)
        except UnreadableData as error:
            errors[look.name] = error
        check_count(names, query.queue_field)
    return names, errors


def newest_row(files: Files, layout: Layout, query: Query) -> datetime | None:
    """The newest time in any file, whosever it is; None where none can be read."""
    newest = 0
    for look in (table for table in layout.tables.values() if query.time_field in table.columns):
        with suppress(UnreadableData), open_table(files, look.name, query.csv, known_columns(query)) as table:
            for batch in table.batches([query.time_field]):
                newest = max(newest, int(utc(read_times(batch.column(0)), query.samples_timezone).max(initial=0)))
    return datetime.fromtimestamp(newest / MICROSECONDS, UTC) if newest else None


def _scan(files: Files, asked: Asked) -> Found:
    found, room = Found(), Room(left=MAX_BYTES)
    layout, query = asked.layout, asked.query
    for look in layout.useful(query):
        try:
            with open_table(files, look.name, query.csv, known_columns(query)) as table, reading(look.name):
                _read_file(table, asked, found, room)
        except UnreadableData as error:
            if _is_broken_for_some(files, look, asked):
                raise BrokenForSome from error
            found.broken[look.name] = error
    return found


def _is_broken_for_some(files: Files, look: Table, asked: Asked) -> bool:
    """Whether a file that cannot be read whole may have all the rows of some of the queues elsewhere."""
    query, name = asked.query, look.name
    with suppress(UnreadableData), open_table(files, name, query.csv, known_columns(query)) as table, reading(name):
        return are_apart(table, query, asked.names)
    return False


def _read_file(table: Table, asked: Asked, found: Found, room: Room) -> None:
    """Add what the file has of the queues; raises UnreadableData, TooMuch."""
    rows, query = FileRows(), asked.query
    if query.queues_from_columns:
        parts = wide_parts(table, asked, rows, room)
    elif missing := missing_in(table, query):
        met = _names(table, asked.layout, query) & set(asked.names)
        found.errors |= {name: missing_column(table, missing, query) for name in met}
        return
    else:
        parts = parts_of(table, asked, rows, room)
    for name, part in parts:
        found.parts.setdefault(name, []).append(part)
    found.notes[table.name] = tuple(rows.notes())
    found.doubts += [doubt for doubt in rows.doubts if doubt not in found.doubts]
    found.rows += rows.count
    found.nameless += [rows.nameless] if rows.nameless else []


def _names(table: Table, layout: Layout, query: Query) -> set[str]:
    """The queues of one file, of the rows that are wanted."""
    import pyarrow as pa

    names: set[str] = set()
    for batch in table.batches(row_columns(table, query)):
        own, is_row = queue_names(table, layout, query, batch), wanted_rows(table, query, batch)[0]
        if query.time_field in batch.schema.names:  # what has no time is a total below a table
            is_row = is_row & batch[query.time_field].is_valid().to_numpy(zero_copy_only=False)
        names.update(names_in(own.filter(pa.array(is_row))))
        check_count(names, query.queue_field)
    return names
