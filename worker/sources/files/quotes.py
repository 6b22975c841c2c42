"""Rows of a CSV file that lie inside of a quote that nobody closed: to a reader of CSV they are the text of one cell."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from worker.sources._times import Kind, read_times
from worker.sources.files.csv_head import MAX_LINE, CsvHead, split_line

if TYPE_CHECKING:
    import pyarrow as pa

MAX_INSIDE = 100_000  # lines of one quote that are looked at
QUOTE = b'"'


def lines_in_quotes(path: Path, head: CsvHead, time_field: str) -> list[list[str]]:
    """The cells of lines that stand in quotes and are rows: as many cells as the header, and a time where it should be.

    What people write over several lines of one cell is none.
    """
    place, width = head.names.index(time_field), len(head.names) + head.surplus
    rows = [cells for line in _inside(path, head) if len(cells := split_line(line, head.separator)) == width > 1]
    if not rows:
        return []
    times = read_times(_texts([cells[place] for cells in rows]), column=time_field)
    return [cells for cells, kind in zip(rows, times.kinds, strict=True) if kind != Kind.UNREADABLE]


def _inside(path: Path, head: CsvHead) -> Iterator[str]:
    """The lines after one that opens a quote, up to the one that closes it, or to the end."""
    if head.encoding == "utf-16" or not _has_quotes(path):  # its line ends are no bytes of their own
        return
    is_open, count = False, 0
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE):
            if QUOTE not in line:
                if is_open and count < MAX_INSIDE:
                    count += 1
                    yield _text(line)
            elif is_open or line.count(QUOTE) % 2:
                was_open, is_open = is_open, _is_open_after(_text(line), head.separator, is_open=is_open)
                if was_open and is_open:
                    yield _text(line)


def _is_open_after(line: str, separator: str, *, is_open: bool) -> bool:
    """Whether what follows the line belongs to its last cell: one within a cell, such as 5" disk, opens nothing."""
    try:
        return len(list(csv.reader([f'"{line}\n' if is_open else f"{line}\n", "next"], delimiter=separator))) == 1
    except csv.Error:
        return is_open


def _has_quotes(path: Path) -> bool:
    with path.open("rb") as file:
        return any(QUOTE in block for block in iter(lambda: file.read(MAX_LINE), b""))


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").rstrip("\r\n")


def _texts(cells: list[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(cells, pa.string())
