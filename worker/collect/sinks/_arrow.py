"""Rows as Arrow's tables, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING

from worker.collect.tables import Row, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

QUEUE = "queue"
GROUP_ROWS = 1 << 13  # of a file, so that a queue is read without most of the others


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
    return pa.Table.from_arrays(
        [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema=schema
    )


def rows_of(table: Table, part: pa.Table, start: datetime, end: datetime) -> list[Row]:
    """The rows of a table in [start, end)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    times = part[table.time]
    first, last = (pa.scalar(moment, times.type) for moment in (start, end))
    chosen = part.filter(pc.and_(pc.greater_equal(times, first), pc.less(times, last)))
    return [table.made(row) for row in chosen.to_pylist()]


def read_part(table: Table, file: Path, first: str = "", last: str = "") -> pa.Table:
    """The rows of a file, or those of its queues from the one to the other; columns that it lacks, as another release has
    written it, are empty.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet

    with parquet.ParquetFile(file) as stored:
        groups = [number for number in range(stored.num_row_groups) if not last or _may_have(stored, number, first, last)]
        read = stored.read_row_groups(groups, use_threads=False)
    if last:
        read = read.filter(pc.and_(pc.greater_equal(read[QUEUE], first), pc.less_equal(read[QUEUE], last)))
    schema, none = schema_of(table), pa.nulls(read.num_rows)
    columns = [(read[each.name] if each.name in read.column_names else none).cast(each.type) for each in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _may_have(stored: parquet.ParquetFile, number: int, first: str, last: str) -> bool:
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


def sorted_once(table: Table, parts: Sequence[pa.Table]) -> pa.Table:
    """All their rows by queue and time; of those that have the same tags and time, that of the last part."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pa.concat_tables(parts)
    key = [*sorted(table.tags, key=lambda name: name != QUEUE), table.time]
    whole = whole.append_column("", pa.array(range(whole.num_rows), pa.int64()))  # Arrow's order is not said to be stable
    whole = whole.sort_by([(name, "ascending") for name in (*key, "")]).drop_columns([""])
    if whole.num_rows < 2:
        return whole
    is_again = pa.scalar(value=True)
    for name in key:
        values = whole[name].combine_chunks()
        is_again = pc.and_(is_again, pc.equal(values[:-1], values[1:]))
    return whole.filter(pa.concat_arrays([pc.invert(is_again), pa.array([True])]))


def write_groups(table: Table, out: IO[bytes], parts: Iterator[pa.Table]) -> None:
    """A Parquet file of these rows, in groups of which each has its least and greatest queue."""
    from pyarrow import parquet

    with parquet.ParquetWriter(out, schema_of(table), compression="zstd") as writer:
        for part in parts:
            writer.write_table(part, row_group_size=GROUP_ROWS)
