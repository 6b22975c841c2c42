"""One file's rows, queue by queue: those of the queues that are wanted, in the file's order, and only the columns that count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shared.domain.timegrid import to_epoch
from shared.errors import UnreadableData
from worker.sources._moments import MICROSECONDS
from worker.sources._times import Kind, Times, read_times
from worker.sources.base import Query
from worker.sources.files.layout import Layout, refuse_nested, unnamed
from worker.sources.files.ragged import LINE
from worker.sources.files.row_groups import groups_with
from worker.sources.files.rows import queue_names, row_columns, wanted_rows
from worker.sources.files.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

AROUND = timedelta(days=2)  # beside the history: times without a zone lie up to a day off, and a value may hold until the next
NOBODY = ""  # whose rows are those that name no queue
NOTHING = ""  # a column without a name and without values, where none are asked for: a table knows its length by its columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one file has of a queue.

    times: of each row. cells: the columns of values, in the file's order. unreadable: a time that is none, as it is written.
    examples: one of each kind of timestamps. lines: its lost lines, as rows of their times and of `LINE`; quoted: those that lie
    in quotes. outside: first and last moment (microseconds since 1970), and how many there are, of rows far from the history.
    """

    table: Table
    times: Times
    cells: pa.Table
    unreadable: str | None
    examples: dict[Kind, str]
    lines: Part | None = None
    quoted: Part | None = None
    outside: tuple[int, int, int] = (0, 0, 0)

    def of_column(self, name: str, target: str) -> Part:
        """The same rows with the cells of one column, as those of the target."""
        return replace(self, cells=self.cells.select([name]).rename_columns([target]))


@dataclass(slots=True)
class FileRows:
    """What was met in a file beside rows of queues.

    headers: rows that repeat the header. count: all others, whosever they are. nameless: those that belong to no queue, in the
    history or near it. lines: lines with too few or too many cells that name none either. is_torn: the last line ends early, as
    it is being written. note: what to say of the file's columns, and doubts: what people should look at.
    """

    headers: int = 0
    count: int = 0
    nameless: Part | None = None
    lines: int = 0
    is_torn: bool = False
    note: str | None = None
    doubts: list[str] = field(default_factory=list)

    def notes(self) -> Iterator[str]:
        """In plain words."""
        if self.note:
            yield self.note
        if self.headers:
            yield f"{self.headers:,} repeated header line{'s' if self.headers > 1 else ''} left out"
        if self.is_torn:
            yield "a last line that ends early was left out"
        if self.lines:
            yield f"lines with too few or too many cells that name no queue: {self.lines:,} left out"


class TooMuch(Exception):  # noqa: N818 # no error: the caller asks for less at a time
    """The rows take more than may be kept at a time."""


@dataclass(slots=True)
class Room:
    """How many bytes of rows may still be kept."""

    left: int

    def take(self, size: int) -> None:
        """Raises TooMuch for more than there is."""
        self.left -= size
        if self.left < 0:
            raise TooMuch


def value_columns(table: Table, query: Query) -> tuple[list[str], str | None]:
    """The columns of values to read of a file, and what to say of others."""
    others, note = unnamed(table, query)
    if note and not query.target:
        raise UnreadableData(note, file=table.name)
    named = [name for name in query.required if name in table.columns]
    return list(dict.fromkeys((*named, *others))), note


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is read of a place: the columns of a query, of the queues with these names."""

    layout: Layout
    query: Query
    names: Sequence[str]


def parts_of(table: Table, asked: Asked, rows: FileRows, room: Room) -> Iterator[tuple[str, Part]]:
    """What the file has of each of the queues; of those that it has.

    Args:
        rows: is told what else was met.
        room: for what is kept; raises TooMuch.
    """
    import pyarrow as pa

    query = asked.query
    values, rows.note = value_columns(table, query)
    keys = row_columns(table, query)
    refuse_nested(table, (*keys, *query.required))
    kept = Kept(table=table, query=query, names=asked.names, values=values)
    lost, quoted = (Kept(table=table, query=query, names=asked.names, values=[LINE]) for _ in range(2))
    nobodys = Kept(table=table, query=query, names=[NOBODY], values=[])

    groups, rows.count = groups_with(table, query, asked.names)
    for batch in table.batches(list(dict.fromkeys((*keys, *values))), groups):
        is_row, headers = wanted_rows(table, query, batch)
        rows.headers += headers
        rows.count += int(is_row.sum())
        nameless = _keep(kept, batch.filter(pa.array(is_row)), asked, room)
        if nameless.num_rows:
            room.take(nobodys.add(nameless, np.zeros(nameless.num_rows, dtype=np.int32)))
        rows.lines += sum(_keep(lost, lines, asked, room).num_rows for lines in table.lost_lines(keys))
    rows.is_torn = table.ragged.is_torn
    rows.nameless = dict(nobodys.parts()).get(NOBODY)
    rows.lines += sum(_keep(quoted, lines, asked, room).num_rows for lines in table.quoted_lines(keys, query.time_field))
    yield from kept.parts(dict(lost.parts()), dict(quoted.parts()))


def _keep(kept: Kept, batch: pa.RecordBatch, asked: Asked, room: Room) -> pa.RecordBatch:
    """Keep the rows of the wanted queues; gives those that name no queue."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = queue_names(kept.table, asked.layout, asked.query, batch)
    codes = pc.index_in(names, value_set=pa.array(asked.names, pa.string()))
    chosen = codes.is_valid()
    if chosen.true_count or not kept.codes:
        room.take(kept.add(batch.filter(chosen), codes.filter(chosen).to_numpy()))
    return batch.filter(names.is_null())


@dataclass(slots=True)
class Kept:
    """Rows of the wanted queues, as they come, in the order of the file."""

    table: Table
    query: Query
    names: Sequence[str]
    values: Sequence[str]
    codes: list[NDArray[np.int32]] = field(default_factory=list)
    times: list[Times] = field(default_factory=list)
    cells: list[pa.Table] = field(default_factory=list)
    unreadable: dict[int, str] = field(default_factory=dict)
    examples: dict[int, dict[Kind, str]] = field(default_factory=dict)
    outside: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    count: int = 0

    def add(self, batch: pa.RecordBatch, codes: NDArray[np.int32]) -> int:
        """Keep what lies in the history or near it, or has no time that can be read; how many bytes it takes."""
        import pyarrow as pa

        query, written = self.query, batch[self.query.time_field]
        times = read_times(written, file=self.table.name, column=query.time_field)
        first, last = (round(to_epoch(moment) * MICROSECONDS) for moment in (query.start - AROUND, query.end + AROUND))
        is_readable = times.kinds != Kind.UNREADABLE
        is_near = ~is_readable | ((times.moments >= first) & (times.moments < last))
        self._see(times, codes, ~is_near)
        self._see_examples(times, codes, is_near, written)
        columns = [batch[name] for name in self.values] or [pa.nulls(batch.num_rows)]
        cells = pa.table(columns, names=list(self.values) or [NOTHING]).filter(pa.array(is_near))
        self.codes.append(codes[is_near])
        self.times.append(Times(moments=times.moments[is_near], kinds=times.kinds[is_near]))
        self.cells.append(cells)
        self.count += int(is_near.sum())
        return int(cells.nbytes) + 16 * int(is_near.sum())

    def parts(self, lines: Mapping[str, Part] = {}, quoted: Mapping[str, Part] = {}) -> Iterator[tuple[str, Part]]:
        """Queue by queue, with the lost lines of each."""
        import pyarrow as pa

        if not self.codes:
            return
        codes = np.concatenate(self.codes)
        order = np.argsort(codes, kind="stable")
        moments = np.concatenate([times.moments for times in self.times])[order]
        kinds = np.concatenate([times.kinds for times in self.times])[order]
        cells = pa.concat_tables(self.cells).take(pa.array(order)) if self.count else self.cells[0]
        borders = np.searchsorted(codes[order], np.arange(len(self.names) + 1))
        for code, name in enumerate(self.names):
            start, end = int(borders[code]), int(borders[code + 1])
            if start == end and code not in self.outside and not {*lines, *quoted} & {name}:
                continue
            yield (
                name,
                Part(
                    table=self.table,
                    times=Times(moments=moments[start:end], kinds=kinds[start:end]),
                    cells=cells.slice(start, end - start),
                    unreadable=self.unreadable.get(code),
                    examples=self.examples.get(code, {}),
                    lines=lines.get(name),
                    quoted=quoted.get(name),
                    outside=self.outside.get(code, (0, 0, 0)),
                ),
            )

    def _see_examples(self, times: Times, codes: NDArray[np.int32], is_near: NDArray[np.bool_], written: pa.Array) -> None:
        """Remember how the first time of each kind is written, queue by queue."""
        places = np.flatnonzero(is_near)
        pairs, first = np.unique(codes[places].astype(np.int64) * len(Kind) + times.kinds[places], return_index=True)
        for pair, place in zip(pairs.tolist(), places[first].tolist(), strict=True):
            code, kind = divmod(pair, len(Kind))
            if kind not in (known := self.examples.setdefault(code, {})):
                known[Kind(kind)] = str(written[place])
            if kind == Kind.UNREADABLE:
                self.unreadable.setdefault(code, str(written[place].as_py() or ""))

    def _see(self, times: Times, codes: NDArray[np.int32], is_far: NDArray[np.bool_]) -> None:
        """Remember where rows far from the history lie."""
        if not is_far.any():
            return
        order = np.argsort(codes[is_far], kind="stable")
        moments, far = times.moments[is_far][order], codes[is_far][order]
        found, starts, counts = np.unique(far, return_index=True, return_counts=True)
        ends = zip(np.minimum.reduceat(moments, starts), np.maximum.reduceat(moments, starts), strict=True)
        for code, (first, last), count in zip(found.tolist(), ends, counts.tolist(), strict=True):
            before = self.outside.get(code, (int(first), int(last), 0))
            self.outside[code] = min(before[0], int(first)), max(before[1], int(last)), before[2] + count
