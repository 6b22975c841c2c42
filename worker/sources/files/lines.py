"""Whose lines of a CSV file are lost, as they have too few or too many cells."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from worker.sources._names import joined
from worker.sources.base import Query
from worker.sources.files.csv_head import CsvHead, split_line
from worker.sources.files.tables import Table

TAIL = 1 << 16  # bytes at a file's end in which its last line lies, as a rule


def lines_of_queues(
    table: Table, query: Query, names: Collection[str], *, is_by_file: bool
) -> tuple[dict[str, list[list[str]]], int]:
    """The lost lines of each of the queues, and how many belong to no queue that is known.

    A last line that ends early is being written just now, and none of them.
    """
    head = table.head
    if head is None:
        return {}, 0
    lines = table.ragged.lines[: -1 if is_torn(table) else None]
    by_queue: dict[str, list[list[str]]] = {}
    unknown = table.ragged.more
    for cells in lines:
        name = Path(table.name).stem if is_by_file else _queue(table, head, query, cells)
        if name is None:
            unknown += 1
        elif name in names:
            by_queue.setdefault(name, []).append(cells)
    return by_queue, unknown


def is_torn(table: Table) -> bool:
    """Whether the file's last line ends early."""
    head, lines = table.head, table.ragged.lines
    return bool(head and lines and len(lines[-1]) < len(head.names) and lines[-1] == _last_line(table.path, head))


def cell(head: CsvHead, cells: Sequence[str], name: str) -> str | None:
    """What a broken line has where a column should be; None = it ends before, or has nothing there."""
    place = head.names.index(name) if name in head.names else len(cells)
    return (cells[place].strip() or None) if place < len(cells) else None


def _queue(table: Table, head: CsvHead, query: Query, cells: Sequence[str]) -> str | None:
    return joined([cell(head, cells, name) if name in table.columns else table.keys.get(name) for name in query.queue_fields])


def _last_line(path: Path, head: CsvHead) -> list[str]:
    with path.open("rb") as file:
        file.seek(-min(TAIL, path.stat().st_size), os.SEEK_END)
        text = file.read().decode(head.encoding.removesuffix("-sig"), errors="replace")
    return split_line(text.rstrip("\r\n").rpartition("\n")[2].rstrip("\r"), head.separator)
