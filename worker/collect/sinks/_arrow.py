"""Rows as Arrow's tables, and back.

Columns are made of their buffers: `pyarrow.array` and `scalar` load pandas wherever it is installed, 50 MB that the collector
has no use for. What each look needs is done without `pyarrow.compute` too, another 14 MB: rows are chosen as slices.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache, reduce
from itertools import accumulate, groupby
from operator import attrgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from worker.collect.tables import Row, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

QUEUE = "queue"
Cell = str | float | datetime | None
ROWS_AT_ONCE = 1 << 12  # that are read to be looked through: memory
GROUP_ROWS = 1 << 14  # of a file, so that a queue is read without most of the others


@lru_cache
def schema_of(table: Table) -> pa.Schema:
    """How its columns are kept."""
    import pyarrow as pa

    kinds = {"int": pa.int64(), "int | None": pa.int64(), "float | None": pa.float64(), "str": pa.string()}
    return pa.schema({name: kinds.get(kind, pa.timestamp("ms", tz="UTC")) for name, kind in table.kinds.items()})


def of_rows(table: Table, rows: Sequence[Row]) -> pa.Table:
    """Rows as a table."""
    import pyarrow as pa

    schema = schema_of(table)
    columns = zip(*map(attrgetter(*schema.names), rows), strict=True)
    return pa.Table.from_arrays([_column(values, each.type) for values, each in zip(columns, schema, strict=True)], schema=schema)


def _column(values: Sequence[Cell], kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_string(kind):
        texts = [str(value).encode() for value in values]
        ends = array("i", accumulate(map(len, texts), initial=0))
        return pa.Array.from_buffers(kind, len(texts), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))])
    numbers = [value.timestamp() * 1_000 if isinstance(value, datetime) else float(value or 0) for value in values]
    cells = array("d", numbers) if pa.types.is_floating(kind) else array("q", map(round, numbers))
    return pa.Array.from_buffers(kind, len(values), [_told(values), pa.py_buffer(cells)])


def _told(values: Sequence[Cell]) -> pa.Buffer:
    """A bit for each cell: whether it holds anything."""
    import pyarrow as pa

    bits = "".join("0" if value is None else "1" for value in reversed(values))
    return pa.py_buffer(int(bits or "0", 2).to_bytes(len(values) // 8 + 1, "little"))


def rows_of(table: Table, part: pa.Table, start: datetime, end: datetime) -> Iterator[Row]:
    """The rows of a table in [start, end)."""
    names = table.columns
    for cells in cells_of(within(table, part, start, end), names):
        told = dict(zip(names, cells, strict=True))
        yield table.made(told | {table.time: datetime.fromtimestamp(cast("int", told[table.time]) / 1_000, UTC)})


def read_part(table: Table, file: Path, first: str = "", last: str = "") -> pa.Table:
    """The rows of a file, or those of its queues from the one to the other; columns that it lacks, as another release has
    written it, are empty.
    """
    import pyarrow as pa
    from pyarrow import parquet

    with parquet.ParquetFile(file) as stored:
        if not last:
            return _as_kept(table, stored.read(use_threads=False))
        groups = [number for number in range(stored.num_row_groups) if may_have(stored, number, first, last)]
        least, most = _column([first, last], pa.string())
        parts = stored.iter_batches(batch_size=ROWS_AT_ONCE, row_groups=groups, use_threads=False)
        some = [_between(part, least, most) for part in parts]
        return _as_kept(table, pa.Table.from_batches(some, schema=stored.schema_arrow))


def _between(part: pa.RecordBatch, least: pa.Scalar, most: pa.Scalar) -> pa.RecordBatch:
    """The rows of these queues."""
    import pyarrow.compute as pc

    return part.filter(pc.and_(pc.greater_equal(part[QUEUE], least), pc.less_equal(part[QUEUE], most)))


def groups_of(table: Table, file: Path) -> Iterator[pa.Table]:
    """The rows of a file, a few at a time."""
    import pyarrow as pa
    from pyarrow import parquet

    with parquet.ParquetFile(file) as stored:
        for part in stored.iter_batches(batch_size=ROWS_AT_ONCE, use_threads=False):
            yield _as_kept(table, pa.Table.from_batches([part]))


def _as_kept(table: Table, read: pa.Table) -> pa.Table:
    """With the columns of its table."""
    import pyarrow as pa

    schema = schema_of(table)
    return pa.Table.from_arrays([_of_kind(read, each) for each in schema], schema=schema)


def _of_kind(read: pa.Table, wanted: pa.Field) -> pa.Array | pa.ChunkedArray:
    """Its column; one that is of another kind, as nobody here writes it, is made of this one."""
    import pyarrow as pa

    if wanted.name not in read.column_names:
        return pa.nulls(read.num_rows, wanted.type)
    column = read[wanted.name]
    return column if column.type == wanted.type else column.cast(wanted.type)


def within(table: Table, part: pa.Table, start: datetime, end: datetime) -> pa.Table:
    """Its rows in [start, end)."""
    first, last = (round(each.timestamp() * 1_000) for each in (start, end))
    return _chosen(part, [first <= at < last for at in moments_of(part[table.time])])


def moments_of(times: pa.ChunkedArray | pa.Array) -> array[int]:
    """Milliseconds since 1970."""
    moments = array("q")
    for chunk in getattr(times, "chunks", [times]):
        if len(chunk):
            moments.extend(memoryview(chunk.buffers()[1]).cast("B").cast("q")[chunk.offset : chunk.offset + len(chunk)])
    return moments


def _chosen(part: pa.Table, wanted: Iterable[bool]) -> pa.Table:
    """The rows that are wanted."""
    import pyarrow as pa

    slices, first = [part.slice(0, 0)], 0
    for is_wanted, run in groupby(wanted):
        length = sum(1 for _ in run)
        if is_wanted:
            slices.append(part.slice(first, length))
        first += length
    return pa.concat_tables(slices)


def cells_of(part: pa.Table, names: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    """Row by row the cells of these columns, times as milliseconds since 1970; None where there is no such column."""
    yield from zip(*(_cells(part, name) for name in names), strict=True)


def _cells(part: pa.Table, name: str) -> Sequence[Cell]:
    import pyarrow as pa

    if name not in part.column_names:
        return [None] * part.num_rows
    column = part[name]
    if pa.types.is_timestamp(column.type):
        return moments_of(column)
    once: dict[Cell, Cell] = {}  # most values of a column are there many times: memory
    return [once.setdefault(cell, cell) for cell in column.to_pylist()]


def may_have(stored: parquet.ParquetFile, number: int, first: str, last: str) -> bool:
    """Whether a group of rows has any of these queues: what it says of itself is compared as Arrow compares texts."""
    group = stored.metadata.row_group(number)
    statistics = group.column(stored.schema_arrow.names.index(QUEUE)).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    return bool(statistics.min.encode() <= last.encode() and first.encode() <= statistics.max.encode())


def queues_in(file: Path) -> list[str]:
    """The queues of a file."""
    from pyarrow import parquet

    with parquet.ParquetFile(file) as stored:
        names: list[str] = stored.read([QUEUE], use_threads=False)[QUEUE].unique().to_pylist()
    return names


def rows_in(file: Path) -> int:
    """How many rows a file has."""
    from pyarrow import parquet

    with parquet.ParquetFile(file) as stored:
        return int(stored.metadata.num_rows)


def with_rows(table: Table, part: pa.Table | None, rows: Sequence[Row]) -> pa.Table:
    """A part and rows that have come: those of a new moment are behind the others, and of the same moment take their places."""
    import pyarrow as pa

    key = attrgetter(*_key(table))
    own = {key(row): row for row in rows}
    new = of_rows(table, [own[each] for each in sorted(own)])
    if part is None or not part.num_rows:
        return new
    if max(moments_of(part[table.time])) < min(moments_of(new[table.time])):
        return pa.concat_tables([part, new])
    return sorted_once(table, [part, new])


def _key(table: Table) -> tuple[str, ...]:
    """What tells one row from another, in the order in which rows are kept."""
    return (*sorted(table.tags, key=lambda name: name != QUEUE), table.time)


def sorted_once(table: Table, parts: Sequence[pa.Table]) -> pa.Table:
    """All their rows by queue and time; of those that have the same tags and time, that of the last part."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pa.concat_tables(parts)
    key = _key(table)
    whole = whole.append_column("", _column(range(whole.num_rows), pa.int64()))  # Arrow's order is not said to be stable
    whole = whole.sort_by([(name, "ascending") for name in (*key, "")]).drop_columns([""])
    if whole.num_rows < 2:
        return whole
    columns = (whole[name].combine_chunks() for name in key)
    is_again = reduce(pc.and_, (pc.equal(values[:-1], values[1:]) for values in columns))
    return whole.filter(pa.concat_arrays([pc.invert(is_again), pc.is_valid(whole[table.time][-1:].combine_chunks())]))


def write_groups(table: Table, out: IO[bytes], parts: Iterator[pa.Table], rows: int = GROUP_ROWS) -> None:
    """A Parquet file of these rows, in groups of so many, of which each has its least and greatest queue."""
    from pyarrow import parquet

    with parquet.ParquetWriter(out, schema_of(table), compression="zstd") as writer:
        for part in parts:
            writer.write_table(part, row_group_size=rows)
