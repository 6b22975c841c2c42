"""How a CSV file is written: its encoding, the sign between cells, its header, and how wide its lines are."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from statistics import median_low

from shared.domain.samples import CsvForm
from shared.errors import UnreadableData

MAX_LINE = 1 << 20
NO_LINES = "Empty CSV file"  # how it is said that there is not even a header
LINES_LOOKED_AT = 20
SEPARATORS = ",;\t|"
SEPARATOR_WORDS = {"\t": "a tab"}
_ENCODINGS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

csv.field_size_limit(MAX_LINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvHead:
    """What the first lines of a CSV file tell.

    names: of the columns, without blanks around them. surplus: cells that lines have beyond them, all of them empty.
    lines: how many the header ends after. has_blank_quotes: quotes stand behind blanks, where they are part of a cell.
    """

    names: tuple[str, ...]
    separator: str
    encoding: str
    lines: int
    surplus: int
    has_blank_quotes: bool

    @property
    def note(self) -> str | None:
        """What was found out that people may want to know."""
        if self.separator == ",":
            return None
        return f"cells are separated by {SEPARATOR_WORDS.get(self.separator, repr(self.separator))}"


def read_head(path: Path, form: CsvForm, known: tuple[str, ...], *, file: str) -> CsvHead:
    """Look at the first lines.

    Args:
        form: its separator counts; without one it is that with which most of the columns `known` are found, or the most columns.

    Raises:
        UnreadableData: there is no header.
    """
    with path.open("rb") as stream:
        start = stream.read(MAX_LINE)
    encoding = next((name for mark, name in _ENCODINGS if start.startswith(mark)), "utf-8")
    is_whole = len(start) < MAX_LINE
    if not is_whole and encoding != "utf-16" and b"\n" not in start:
        raise UnreadableData("it has a line of more than the accepted 1 MiB", file=file)
    text = codecs.getincrementaldecoder(encoding)().decode(start, final=is_whole)
    choices = form.separator or SEPARATORS
    heads = [head for head in (_head(text, separator, encoding) for separator in choices) if head is not None]
    if not heads:
        raise UnreadableData(f"{NO_LINES}; accepted is a CSV file with a header line", file=file)
    return max(heads, key=lambda head: (len(set(known) & set(head.names)), len(head.names)))


def split_line(line: str, separator: str) -> list[str]:
    """The cells of one line."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return line.split(separator)


def _head(text: str, separator: str, encoding: str) -> CsvHead | None:
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator)
    rows = _rows(reader)
    cells = next((row for row in rows if any(cell.strip() for cell in row) and not row[0].startswith("sep=")), None)
    if cells is None:
        return None
    lines = reader.line_num
    names = [name.strip() for name in cells]
    following = [row for row in islice(rows, LINES_LOOKED_AT) if row]
    width = median_low(len(row) for row in following) if following else len(names)
    while width < len(names) and not names[-1]:  # the header ends in a separator, and the lines do not
        names.pop()
    is_empty = all(not "".join(row[len(names) :]).strip() for row in following if len(row) == width)
    return CsvHead(
        names=tuple(names),
        separator=separator,
        encoding=encoding,
        lines=lines,
        surplus=max(0, width - len(names)) if is_empty else 0,
        has_blank_quotes=f'{separator} "' in text,
    )


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """The rows until one that cannot be told from the first part of a file."""
    with suppress(csv.Error):
        yield from reader
