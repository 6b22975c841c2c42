"""One CSV or Parquet file as a table: which columns it has, and the cells of some of them, few rows at a time."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from shared.domain.samples import CsvForm
from shared.errors import UnreadableData
from worker.sources.files.csv_head import CsvHead, read_head
from worker.sources.files.listing import Files, opened
from worker.sources.files.memory import MAX_MEMORY, limited_memory
from worker.sources.files.quotes import lines_in_quotes
from worker.sources.files.ragged import Ragged, lines_of, shown_line

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import csv

MAX_ROWS = 100_000_000  # of one file, whosever they are: looking at them takes seconds
MAX_COLUMNS = 50_000  # of one file, most of which are never read
MAX_FOOTER = 1 << 25  # of a Parquet file: where it says what it holds
BATCH_ROWS = 1 << 15
BLOCK = 1 << 20  # of a CSV file, which no line may be longer than
MAGIC = b"PAR1"
HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
NO_BYTES = "found 0 bytes"  # how it is said that a file is empty
ACCEPTED = "accepted is CSV in UTF-8 with a header line, or Parquet"
_ABSOLUTE_PATH = re.compile(r"'(?:/[^'/]+)+'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file whose columns are known and whose rows have not been read.

    name: path inside the connection's folder, for messages.
    columns: name → Arrow type, of those whose name is there once; every column of a CSV is text.
    repeated: names that several columns have. keys: what folders such as `dt=2026-01-05` above the file say of all its rows.
    head: of a CSV. ragged: its lines with too few or too many cells that were met with the newest of `batches`.
    """

    name: str
    path: Path
    columns: dict[str, pa.DataType]
    repeated: tuple[str, ...]
    keys: dict[str, str | None]
    head: CsvHead | None = None
    ragged: Ragged = field(default_factory=Ragged)

    @property
    def is_csv(self) -> bool:
        """Whether numbers are texts because the format knows nothing else."""
        return self.head is not None

    def has(self, name: str) -> bool:
        """Whether its rows have something of this name: a column, or a folder that says it of all of them."""
        return name in self.columns or name in self.keys

    def batches(self, columns: Sequence[str], groups: Sequence[int] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows of these columns, few at a time; raises UnreadableData for more rows than a file may have.

        Args:
            groups: of rows, of a Parquet file; None = all.
        """
        rows = 0
        with reading(self.name):
            stream = _parquet_batches(self.path, columns, groups) if self.head is None else self._csv_batches(self.head, columns)
            for batch in stream:
                rows += batch.num_rows
                _check_size("rows", rows, MAX_ROWS, self.name)
                yield batch
        if self.head and self.ragged.lost and not rows:
            cells = self.ragged.lost[0]
            found = f"Expected {len(self.head.names)} columns, got {len(cells)}: {shown_line(cells, self.head.separator)}"
            raise UnreadableData(f"{found}; {ACCEPTED}", file=self.name)

    def lost_lines(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """What the lost lines that came with the newest batch have where these columns should be, and `LINE`: one, or none."""
        if self.head and self.ragged.lost:
            yield lines_of(self.ragged.lost, self.head, columns)

    def quoted_lines(self, columns: Sequence[str], time_field: str) -> Iterator[pa.RecordBatch]:
        """The same of rows that lie inside of a quote that nobody closed, in all of the file."""
        if self.head and (lines := lines_in_quotes(self.path, self.head, time_field)):
            yield lines_of(lines, self.head, columns)

    def _csv_batches(self, head: CsvHead, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """All cells as text: which are numbers or times is decided cell by cell, not by the file's first block."""
        import pyarrow as pa
        from pyarrow import csv

        self.ragged.begin(self.path, head)
        width = len(head.names) + head.surplus
        places = [head.names.index(name) for name in columns]
        chosen = [str(place) for place in places]
        reader = csv.open_csv(
            self.path,
            csv.ReadOptions(
                use_threads=False,
                block_size=BLOCK,
                skip_rows=head.lines,
                column_names=[str(place) for place in range(width)],
                encoding="utf-8" if head.encoding == "utf-8-sig" else head.encoding,
            ),
            csv.ParseOptions(delimiter=head.separator, invalid_row_handler=self.ragged.taker(head)),
            _as_texts(chosen),
        )
        for batch in reader:
            rows = pa.concat_batches([self.ragged.whole(batch, places), self.ragged.mended(places)])
            yield _renamed(rows, columns, has_blank_quotes=head.has_blank_quotes)
            self.ragged.lost.clear()
        self.ragged.end(self.path, head)
        yield _renamed(self.ragged.mended(places), columns, has_blank_quotes=head.has_blank_quotes)


def _as_texts(columns: Sequence[str]) -> csv.ConvertOptions:
    """These columns alone, as texts of which only the empty one is no value: a queue may be called NA."""
    import pyarrow as pa
    from pyarrow import csv

    types = dict.fromkeys(columns, pa.string())
    return csv.ConvertOptions(include_columns=columns, column_types=types, strings_can_be_null=True, null_values=[""])


@contextmanager
def open_table(files: Files, name: str, form: CsvForm, known: Sequence[str] = ()) -> Iterator[Table]:
    """Look at the columns of one of the files; raises UnreadableData when it is empty, broken or forbidden.

    Args:
        form: what is said of CSV files. known: columns that one of them may have.
    """
    with opened(files, name) as path, limited_memory():
        if not path.stat().st_size:
            raise UnreadableData(f"{NO_BYTES}; accepted is a CSV file with a header line, or a Parquet file", file=name)
        with reading(name):
            head = read_head(path, form, tuple(known), file=name) if name.lower().endswith(".csv") else None
            columns, repeated = _parquet_columns(path, name) if head is None else _csv_columns(head, name)
        yield Table(name=name, path=path, columns=columns, repeated=repeated, keys=_keys(name), head=head)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Translate what Arrow and the file system raise while the file is read."""
    import pyarrow as pa

    try:
        yield
    except MemoryError as error:
        raise UnreadableData(f"reading it takes more memory than the accepted {MAX_MEMORY >> 20:,} MiB", file=name) from error
    except (pa.ArrowException, UnicodeError, OSError) as error:
        reason = str(error).rpartition(": Invalid: ")[2].partition("\n")[0]
        if "straddling" in reason:
            reason = "it has a line of more than the accepted 1 MiB"
        reason = _ABSOLUTE_PATH.sub("the file", reason)  # no path of the server in an answer
        raise UnreadableData(f"{reason}; {ACCEPTED}", file=name) from error


def _check_size(what: str, count: int, most: int, name: str) -> None:
    if count > most:
        raise UnreadableData(f"it has {count:,} {what} or more, accepted are {most:,} in one file", file=name)


def _csv_columns(head: CsvHead, name: str) -> tuple[dict[str, pa.DataType], tuple[str, ...]]:
    import pyarrow as pa

    _check_size("columns", len(head.names), MAX_COLUMNS, name)
    counts = Counter(head.names)
    return {name: pa.string() for name in head.names if counts[name] == 1}, _several(counts)


def _parquet_columns(path: Path, name: str) -> tuple[dict[str, pa.DataType], tuple[str, ...]]:
    """From its footer: how many rows there are is known before one of them is decoded."""
    from pyarrow import parquet

    with path.open("rb") as file:
        file.seek(-min(8, path.stat().st_size), os.SEEK_END)
        length, mark = int.from_bytes(file.read(4), "little"), file.read(4)
    if mark == MAGIC and length > MAX_FOOTER:
        raise UnreadableData(f"its footer has {length >> 20:,} MiB, accepted are {MAX_FOOTER >> 20}", file=name)
    metadata = parquet.read_metadata(path)
    _check_size("rows", metadata.num_rows, MAX_ROWS, name)
    _check_size("columns", metadata.num_columns, MAX_COLUMNS, name)
    schema = metadata.schema.to_arrow_schema()
    counts = Counter(schema.names)
    return {column.name: column.type for column in schema if counts[column.name] == 1}, _several(counts)


def _parquet_batches(path: Path, columns: Sequence[str], groups: Sequence[int] | None) -> Iterator[pa.RecordBatch]:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=groups, columns=list(columns), use_threads=False):
            yield batch.select(list(columns))


def _renamed(batch: pa.RecordBatch, columns: Sequence[str], *, has_blank_quotes: bool) -> pa.RecordBatch:
    """With the names of the header, and without quotes that stand behind a blank, which CSV takes for a part of the cell."""
    import pyarrow as pa
    import pyarrow.compute as pc

    arrays = batch.columns
    if has_blank_quotes:
        arrays = [pc.replace_substring_regex(array, pattern=r'^\s+"([^"]*)"\s*$', replacement=r"\1") for array in arrays]
    return pa.RecordBatch.from_arrays(arrays, list(columns))


def _several(counts: Counter[str]) -> tuple[str, ...]:
    return tuple(name for name, count in counts.items() if count > 1)


def _keys(name: str) -> dict[str, str | None]:
    """What the folders of a path say, as Spark and Hive name them."""
    pairs = [part.partition("=") for part in Path(name).parts[:-1] if "=" in part]
    return {key: None if value == HIVE_NULL else unquote(value) for key, _, value in pairs if key}
