"""Lines of a CSV file with too few or too many cells: those that only lack what is empty are mended, the others counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.sources.files.csv_head import CsvHead, split_line

if TYPE_CHECKING:
    from pyarrow import csv

MAX_KEPT = 100_000  # lines of one file; more of them are counted
MAX_SHOWN = 60  # characters of a line in a message
BATCH = 1 << 12


@dataclass(slots=True)
class Ragged:
    """What was met so far.

    lines: the cells of those that are lost, in the file's order. more: how many were lost beyond them. last: number of the last.
    """

    lines: list[list[str]] = field(default_factory=list)
    more: int = 0
    _mended: list[list[str]] = field(default_factory=list)

    def clear(self) -> None:
        """Forget them: the file is read again."""
        self.lines, self.more, self._mended = [], 0, []

    def taker(self, head: CsvHead) -> Callable[[csv.InvalidRow], str]:
        """What Arrow calls with such a line: it goes on with the next one."""
        width = len(head.names)

        def take(row: csv.InvalidRow) -> str:
            cells = split_line(row.text, head.separator)
            is_whole = len(cells) >= width and not "".join(cells[width:]).strip()
            kept = self._mended if is_whole else self.lines
            if len(kept) < MAX_KEPT:
                kept.append(cells)
            else:
                self.more += 1
            return "skip"

        return take

    def mended(self, places: Sequence[int]) -> Iterator[list[list[str | None]]]:
        """The cells at these places of lines with empty cells too many, or without those that all others have, by column."""
        for start in range(0, len(self._mended), BATCH):
            rows = self._mended[start : start + BATCH]
            yield [[row[place] or None for row in rows] for place in places]


def shown_line(cells: Sequence[str], separator: str) -> str:
    """A line as a message shows it."""
    return separator.join(cells)[:MAX_SHOWN]
