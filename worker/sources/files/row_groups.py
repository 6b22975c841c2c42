"""Which groups of rows of a Parquet file may have rows of some queues: its statistics tell, without decoding one of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from worker.sources.base import Query
from worker.sources.files.tables import Table


def groups_with(table: Table, query: Query, names: Sequence[str]) -> tuple[list[int] | None, int]:
    """The groups to read, None = all, and how many rows the others have: each names a queue, and none of these.

    A file that is written queue by queue, or sorted by it, is read once for all of them together, however they are divided.
    """
    groups = _groups(table, query)
    kept = _having(groups, names)
    skipped = sum(group.num_rows for group in groups) - sum(groups[number].num_rows for number in kept)
    return (kept, skipped) if skipped else (None, 0)


def are_apart(table: Table, query: Query, names: Sequence[str]) -> bool:
    """Whether not all of these queues are in the same groups: one that is broken need not be so for each of them."""
    groups = _groups(table, query)
    together = _having(groups, names)
    return any(_having(groups, [name]) != together for name in names)


@dataclass(frozen=True, slots=True)
class _Group:
    """How many rows it has, and what is known of the names in it."""

    num_rows: int
    statistics: object


def _groups(table: Table, query: Query) -> Sequence[_Group]:
    """Those of a file whose statistics may tell of queues; of any other file none."""
    if table.is_csv or query.queues_from_columns or query.where or len(query.queue_fields) > 1:
        return ()
    if query.queue_field not in table.columns:
        return ()
    from pyarrow import parquet

    with parquet.ParquetFile(table.path) as file:
        metadata, place = file.metadata, file.schema_arrow.names.index(query.queue_field)
        if metadata.schema.column(place).path != query.queue_field:  # columns of lists and structures stand before it
            return ()
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        return [_Group(group.num_rows, group.column(place).statistics) for group in groups]


def _having(groups: Sequence[_Group], names: Sequence[str]) -> list[int]:
    wanted = sorted(name.encode() for name in names)
    return [number for number, group in enumerate(groups) if _may_have(wanted, group.statistics)]


def _may_have(wanted: Sequence[bytes], statistics: object) -> bool:
    """Whether a group may have rows of one of these queues, or rows that name none."""
    least, most = getattr(statistics, "min", None), getattr(statistics, "max", None)
    if not isinstance(least, str) or not isinstance(most, str) or getattr(statistics, "null_count", None) != 0 or not least:
        return True
    place = bisect_left(wanted, least.encode())
    return place < len(wanted) and wanted[place] <= most.encode()
