"""What the files of a place are together: a table with columns that name the queues, a file per queue, or a wide panel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.domain.identifiers import listed
from shared.domain.jobs import QUEUE_FIELD
from shared.errors import SourceNotFound, UnreadableData
from worker.sources._numbers import is_number_type, is_text_type
from worker.sources.base import MAX_CELLS, MAX_UNNAMED, Query
from worker.sources.files.listing import Files
from worker.sources.files.looks import looks_of
from worker.sources.files.tables import Table, open_table

MAX_READ_UNNAMED = 5_000  # columns that nobody has named: of those that are read, the most related ones are kept
DATE = re.compile(r"[-_. ]?(19|20)\d{2}[-_.]?[01]\d([-_.]?[0-3]\d)?([-_.T]?[0-2]\d([-_.]?[0-5]\d){0,2})?")  # in a file's name
PARTS = re.compile(r"part-\d", re.IGNORECASE)  # as Spark calls the files of one table


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The files of a place, each looked at once.

    tables: those that can be read, by name; only what they are called and have in them is of use after the look.
    broken: what is wrong with the others. is_by_file: each file is a queue, as none of them has a column that names queues.
    """

    tables: dict[str, Table]
    broken: dict[str, UnreadableData]
    is_by_file: bool

    def useful(self, query: Query) -> Iterator[Table]:
        """The files whose rows can belong to a queue."""
        yield from (table for table in self.tables.values() if self.is_by_file or has_queues(table, query))

    def notes(self, query: Query) -> Iterator[str]:
        """What is to be said of the files, whatever the queue."""
        if nameless := [table.name for table in self.tables.values() if not self.is_by_file and not has_queues(table, query)]:
            yield f"files without a column {query.queue_field!r}, which others have: left out {listed(nameless)}"
        if repeated := sorted({name for table in self.tables.values() for name in table.repeated if name}):
            yield f"columns whose name is there several times: left out {listed(repeated)}"
        yield from dict.fromkeys(table.head.note for table in self.tables.values() if table.head and table.head.note)

    def doubts(self, query: Query) -> Iterator[str]:
        """What people should look at: columns of a panel that are lost, and queues that are hardly any."""
        if query.queues_from_columns and (lost := sorted({name for t in self.tables.values() for name in t.repeated if name})):
            yield f"columns whose name is there several times are no queues: left out {listed(lost)}"
        stems = {Path(name).stem for name in (*self.tables, *self.broken)}
        if self.is_by_file and len({DATE.sub("", stem) for stem in stems}) < len(stems):
            examples = listed(sorted(stem for stem in stems if DATE.search(stem)), 3)
            yield (
                f"no file has a column {query.queue_field!r}, so each is a queue of its own, such as {examples}: if the files of"
                " several days are one queue, put each day into a folder, or write a column that names the queue"
            )


def look_at(files: Files, query: Query) -> Layout:
    """Look at the columns of every file; raises UnreadableData when none of them can be read."""
    known = known_columns(query)

    def look(name: str) -> Table:
        with open_table(files, name, query.csv, known) as table:
            _refuse_repeated(table, query)
            return table

    tables, broken = looks_of(files, query.place.path, query.csv, known).at(files, look)
    if not tables:
        raise next(iter(broken.values()))
    has_column = any(has_queues(table, query) for table in tables.values())
    if has_column:
        broken |= {name: why for name, table in tables.items() if (why := _why_nobodys(table, query))}
        tables = {name: table for name, table in tables.items() if name not in broken}
    return Layout(tables=tables, broken=broken, is_by_file=not has_column and not query.queues_from_columns)


def _why_nobodys(table: Table, query: Query) -> UnreadableData | None:
    """What is wrong with a file that has the target and does not say whose, where others do; None = nothing, or no target."""
    if has_queues(table, query) or (query.target or "").lower() not in {name.lower() for name in table.columns}:
        return None
    columns = listed([*table.columns, *table.keys])
    return UnreadableData(f"found no column {query.queue_field!r}, which others have, there are {columns}", file=table.name)


def known_columns(query: Query) -> tuple[str, ...]:
    """The columns that a request names, by which the sign between cells is found."""
    return (query.time_field, *query.queue_fields, *query.required, *query.where)


def has_queues(table: Table, query: Query) -> bool:
    """Whether its rows say which queue they belong to."""
    return query.queues_from_columns or table.has(query.queue_field)


def may_be_by_file(query: Query) -> bool:
    """Whether each file may be a queue: not where the request names the column of the target's queues, which is mistyped then."""
    return query.target is None or query.queue_fields == (QUEUE_FIELD,)


def check_files(layout: Layout, query: Query) -> None:
    """Raises SourceNotFound or UnreadableData for what is true of every file, all of it at once."""
    faults, is_mistyped = list(_missing(layout, query)), layout.is_by_file and not may_be_by_file(query)
    parts = [name for name, table in layout.tables.items() if PARTS.match(Path(name).name) or table.keys]
    if parts and layout.is_by_file:
        unsaid = "" if is_mistyped else f"no column {query.queue_field!r}, and "
        faults.append(f"{unsaid}{parts[0]} is a part of one table: say in `queue_field` what names the queues")
    if faults:
        first = next(iter(layout.tables.values()))
        columns = listed([*first.columns, *first.keys])
        may_be_left_out = is_mistyped and not parts
        hint = "; if each file is a queue, leave `queue_field` out" if may_be_left_out else wide_hint(first, query)
        raise SourceNotFound(f"found {'; '.join(faults)}, there are {columns}{hint}", file=first.name)


def wide_hint(table: Table, query: Query) -> str:
    """How to say that each column of a file is a queue, where that may be so."""
    if query.queues_from_columns or query.target in table.columns or query.queue_field in table.columns:
        return ""
    return "; if each column is a queue, say `queues_from_columns`: true"


def missing_column(table: Table, name: str, query: Query) -> SourceNotFound:
    """What to say of a file that has a queue and lacks a column."""
    folder = ", which is a folder's name: accepted is a column" if name in table.keys else ""
    found = f"found no column {name!r}{folder}, there are {listed(table.columns)}{wide_hint(table, query)}"
    return SourceNotFound(found, file=table.name)


def missing_in(table: Table, query: Query) -> str | None:
    """The first column that is needed and that the file has not."""
    return next((name for name in (query.time_field, *query.required) if name not in table.columns), None)


def unnamed(table: Table, query: Query) -> tuple[list[str], str | None]:
    """The columns that come along when none are asked for by name, and what to say when they are too many: then none does.

    Those that may be the queue's limits come along in any case.
    """
    if query.queues_from_columns:
        return [], None
    limits = [name for name in table.columns if query.may_be_limit(name)]
    if query.columns is not None:
        return limits, None
    known = {query.time_field, *query.queue_fields, query.target, "", *query.where}  # "": the row numbers in a CSV
    names = [name for name in table.columns if name not in known and not name.startswith("__index_level_")]
    steps = max(1, query.grid.steps_between(query.start, query.end))
    if len(names) <= min(MAX_READ_UNNAMED, MAX_CELLS // steps):
        return [name for name in names if table.is_csv or is_number_type(table.columns[name])], None
    accepted = min(MAX_UNNAMED, MAX_CELLS // steps)
    most = f"more than the {accepted} that are read without being named"
    return limits, f"{len(names):,} columns that nobody asked for, {most}: left out; name in `columns` those that matter"


def texts_in(table: Table, query: Query) -> list[str]:
    """The columns of text that nobody has asked for, of a file that says which they are."""
    known = set(known_columns(query))
    return [name for name, kind in table.columns.items() if not table.is_csv and name not in known and is_text_type(kind)]


def refuse_nested(table: Table, names: Iterable[str]) -> None:
    """Raises UnreadableData for a column of lists or structures, before one of them is decoded."""
    import pyarrow.types as kind

    for name in names:
        if name in table.columns and kind.is_nested(table.columns[name]):
            type_name = str(table.columns[name])[:40]
            raise UnreadableData(f"found {type_name}; accepted are single values", file=table.name, column=name)


def _missing(layout: Layout, query: Query) -> Iterator[str]:
    """Columns that no file has."""
    target = () if query.queues_from_columns else query.required
    is_nameless = query.queues_from_columns or (layout.is_by_file and may_be_by_file(query))
    fields = [*([] if is_nameless else query.queue_fields), *query.where]
    for name in dict.fromkeys((query.time_field, *target, *fields)):
        if not any(table.has(name) for table in layout.tables.values()):
            yield f"no column {name!r}"


def _refuse_repeated(table: Table, query: Query) -> None:
    """Raises UnreadableData when a column that is needed is there several times."""
    for name in known_columns(query):
        if name in table.repeated:
            raise UnreadableData(f"found multiple columns named {name}; accepted is one", file=table.name, column=name)
