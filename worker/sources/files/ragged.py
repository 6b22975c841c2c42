"""Lines of a CSV file with too few or too many cells: those that only lack what is empty are mended, the others are lost."""

from __future__ import annotations

import os
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
TAIL = 1 << 16  # bytes at a file's end in which its last line lies, as a rule


@dataclass(slots=True)
class Ragged:
    """What was met since the last batch of rows, cell by cell.

    lost: lines that are lost, all but the newest of the file, which may be one that is being written. is_torn: it was.
    """

    lost: list[list[str]] = field(default_factory=list)
    is_torn: bool = False
    _newest: list[str] | None = None
    _mended: list[list[str]] = field(default_factory=list)

    def begin(self) -> None:
        """Forget what was met: the file is read anew."""
        self.lost, self.is_torn, self._newest, self._mended = [], False, None, []

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
        self.is_torn = last is not None and len(last) < len(head.names) and last == _last_line(path, head)
        if not self.is_torn:
            self._lose(None)

    def mended(self, places: Sequence[int]) -> pa.RecordBatch:
        """The cells at these places of lines with empty cells too many, or without those that all others have; each once."""
        import pyarrow as pa

        rows, self._mended = self._mended, []
        arrays = [pa.array([row[place] or None for row in rows], pa.string()) for place in places]
        return pa.RecordBatch.from_arrays(arrays, [str(place) for place in places])

    def lines(self, head: CsvHead, names: Sequence[str]) -> pa.RecordBatch:
        """What lost lines have where these columns should be, null where they end before or have nothing; and `LINE`."""
        import pyarrow as pa

        places = [head.names.index(name) for name in names]
        cells = [[line[place].strip() or None if place < len(line) else None for line in self.lost] for place in places]
        shown = [shown_line(line, head.separator) for line in self.lost]
        return pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in (*cells, shown)], [*names, LINE])

    def _lose(self, newer: list[str] | None) -> None:
        if self._newest is not None:
            self.lost.append(self._newest)
        self._newest = newer


def shown_line(cells: Sequence[str], separator: str) -> str:
    """A line as a message shows it."""
    return separator.join(cells)[:MAX_SHOWN]


def _last_line(path: Path, head: CsvHead) -> list[str]:
    with path.open("rb") as file:
        file.seek(-min(TAIL, path.stat().st_size), os.SEEK_END)
        text = file.read().decode(head.encoding.removesuffix("-sig"), errors="replace")
    return split_line(text.rstrip("\r\n").rpartition("\n")[2].rstrip("\r"), head.separator)
