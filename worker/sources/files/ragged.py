"""Lines of a CSV file with too few or too many cells: those that only lack what is empty are mended, the others are lost."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from worker.sources.files.csv_head import CsvHead, split_line

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import csv

LINE = "\n"  # the column of lost lines, as a message shows them; no header has such a name
MAX_TOGETHER = 100_000  # lost lines without a row between them: then nobody can say what the file is
MAX_SHOWN = 60  # characters of a line in a message
MIN_BEFORE, MAX_BEFORE = 3, 1_000  # lines before the last one, by which it is told whether that is cut
TAIL = 1 << 16  # bytes at a file's end in which its last line lies, as a rule

_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d*)?")


@dataclass(slots=True)
class Ragged:
    """What was met since the last batch of rows, cell by cell.

    lost: lines that are lost, all but the newest of the file, which may be one that is being written. is_torn: it was. cut: the
    cells of a last line that ends within its last cell.
    """

    lost: list[list[str]] = field(default_factory=list)
    is_torn: bool = False
    cut: list[str] | None = None
    _newest: list[str] | None = None
    _mended: list[list[str]] = field(default_factory=list)

    def begin(self, path: Path, head: CsvHead) -> None:
        """Forget what was met: the file is read anew."""
        self.lost, self.is_torn, self._newest, self._mended = [], False, None, []
        self.cut = _cut_line(path, head)

    def whole(self, rows: pa.RecordBatch, places: Sequence[int]) -> pa.RecordBatch:
        """The rows, which have the cells at these places, without one that is cut."""
        if self.cut is None or not rows.num_rows:
            return rows
        cells = [rows.column(place)[-1].as_py() or "" for place in range(rows.num_columns)]
        if cells != [self.cut[place] for place in places]:
            return rows
        self.is_torn = True
        return rows.slice(0, rows.num_rows - 1)

    def taker(self, head: CsvHead) -> Callable[[csv.InvalidRow], str]:
        """What Arrow calls with such a line: it goes on with the next one, or ends with an error."""
        width = len(head.names)

        def take(row: csv.InvalidRow) -> str:
            cells = split_line(row.text, head.separator)
            if len(cells) >= width and not "".join(cells[width:]).strip():
                self._mended.append(cells)
                return "skip"
            self._lose(cells)
            return "skip" if len(self.lost) < MAX_TOGETHER else "error"

        return take

    def end(self, path: Path, head: CsvHead) -> None:
        """No row follows: the newest line is lost like the others, or it is the file's last and ends early."""
        last = self._newest
        if last is not None and len(last) < len(head.names) and last == _last_lines(path, head)[-1]:
            self.is_torn = True
        else:
            self._lose(None)

    def mended(self, places: Sequence[int]) -> pa.RecordBatch:
        """The cells at these places of lines with empty cells too many, or without those that all others have; each once."""
        import pyarrow as pa

        rows, self._mended = self._mended, []
        arrays = [pa.array([row[place] or None for row in rows], pa.string()) for place in places]
        return pa.RecordBatch.from_arrays(arrays, [str(place) for place in places])

    def _lose(self, newer: list[str] | None) -> None:
        if self._newest is not None:
            self.lost.append(self._newest)
        self._newest = newer


def lines_of(lines: Sequence[Sequence[str]], head: CsvHead, names: Sequence[str]) -> pa.RecordBatch:
    """What lost lines have where these columns should be, null where they end before or have nothing; and `LINE`."""
    import pyarrow as pa

    places = [head.names.index(name) for name in names]
    cells = [[line[place].strip() or None if place < len(line) else None for line in lines] for place in places]
    shown = [shown_line(line, head.separator) for line in lines]
    return pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in (*cells, shown)], [*names, LINE])


def shown_line(cells: Sequence[str], separator: str) -> str:
    """A line as a message shows it."""
    return separator.join(cells)[:MAX_SHOWN]


def _cut_line(path: Path, head: CsvHead) -> list[str] | None:
    """The cells of a last line that has all of them and no end, where the last one is less than those of the lines before are."""
    *before, last = _last_lines(path, head, is_open=True) or [[]]
    others = [cells[-1] for cells in before if len(cells) == len(last)]
    return last if len(last) == len(head.names) and len(others) >= MIN_BEFORE and _is_cut(last[-1], others) else None


def _is_cut(cell: str, others: Sequence[str]) -> bool:
    """Whether a cell is the beginning of what stands there else, or a number with fewer decimals than any."""
    if all(_NUMBER.fullmatch(text) for text in (cell, *others)):
        return len(_decimals(cell)) < min(len(_decimals(text)) for text in others)
    shape, shapes = _DIGIT.sub("0", cell), {_DIGIT.sub("0", text) for text in others}
    return bool(cell) and cell not in others and shape not in shapes and any(text.startswith(shape) for text in shapes)


def _decimals(number: str) -> str:
    return re.split("[.,]", number)[-1] if re.search("[.,]", number) else ""


def _last_lines(path: Path, head: CsvHead, *, is_open: bool = False) -> list[list[str]]:
    """The cells of the last lines; none where the last one has an end and should not."""
    with path.open("rb") as file:
        file.seek(-min(TAIL, path.stat().st_size), os.SEEK_END)
        text = file.read().decode(head.encoding.removesuffix("-sig"), errors="replace")
    if is_open and text.endswith(("\r", "\n")):
        return []
    return [split_line(line, head.separator) for line in text.rstrip("\r\n").splitlines()[-1 - MAX_BEFORE :]]
