"""One CSV or Parquet file as a table: which columns it has, which queues are in it, and the rows of one of them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from shared.domain.identifiers import MAX_QUEUE_NAME
from shared.errors import UnreadableData
from worker.sources._files import Files, opened
from worker.sources._memory import MAX_MEMORY, limited_memory
from worker.sources.base import check_count

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

MAX_BYTES = 160 << 20  # of one queue, decoded: a year of a CSV, every ten seconds; what is made of them takes six times as much
MAX_ROWS = 100_000_000  # of one file, whosever they are: looking at them takes seconds
MAX_COLUMNS = 50_000  # of one file, most of which are never read
MAX_FOOTER = 1 << 25  # of a Parquet file: where it says what it holds
BATCH_ROWS = 1 << 15
MAGIC = b"PAR1"
_ABSOLUTE_PATH = re.compile(r"'(?:/[^'/]+)+'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file whose columns are known and whose rows have not been read.

    name: path inside the connection's folder, for messages.
    columns: name → Arrow type; every column of a CSV is text.
    broken_rows: counts the rows of a CSV that ended early, once `rows` has met and left them out.
    """

    name: str
    columns: dict[str, pa.DataType]
    dataset: ds.Dataset
    broken_rows: Counter[str]

    @property
    def is_csv(self) -> bool:
        """Whether numbers are texts because the format knows nothing else."""
        return self.name.lower().endswith(".csv")

    def own_queue(self, queue_field: str) -> str | None:
        """The one queue that the path names when there is no queue column: a folder `queue=NAME`, else the file's name."""
        if queue_field in self.columns:
            return None
        path, mark = Path(self.name), f"{queue_field}="
        folders = [part.removeprefix(mark) for part in path.parts[:-1] if part.startswith(mark)]
        return unquote(folders[-1]) if folders else path.stem

    def queue_names(self, queue_field: str) -> set[str]:
        """Every queue in the file; raises UnreadableData."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if own_queue := self.own_queue(queue_field):
            return {own_queue}
        names: set[str] = set()
        with reading(self.name):
            for batch in self._batches([queue_field]):
                unique = pc.unique(batch.column(0).cast(pa.string()))
                names |= {name for name in pc.utf8_slice_codeunits(unique, 0, MAX_QUEUE_NAME + 1).to_pylist() if name}
                check_count(names, queue_field)
        return names

    def rows(self, queue: str, queue_field: str, columns: Sequence[str]) -> pa.Table:
        """The rows of one queue that `queue_names` names, in the file's order; nothing else is decoded or kept."""
        import pyarrow as pa
        import pyarrow.dataset as ds

        chosen = None
        if queue_field in self.columns:
            names = ds.field(queue_field)
            chosen = (names if self.columns[queue_field] == pa.string() else names.cast(pa.string())) == queue
        with reading(self.name):
            batches, read = [], 0
            for batch in self._batches(columns, chosen):
                batches.append(batch)
                read += batch.nbytes
                if read > MAX_BYTES:
                    raise UnreadableData(f"one queue's rows take more than the accepted {MAX_BYTES >> 20} MiB", file=self.name)
            return pa.Table.from_batches(batches, schema=pa.schema([(name, self.columns[name]) for name in columns]))

    def _batches(self, columns: Sequence[str], chosen: ds.Expression | None = None) -> Iterator[pa.RecordBatch]:
        """The rows of these columns, few at a time; raises UnreadableData for more rows than a file may have."""
        scanner = self.dataset.scanner(
            columns=list(columns),
            filter=chosen,
            use_threads=False,
            batch_size=BATCH_ROWS,
            batch_readahead=1,
            fragment_readahead=1,
        )
        rows = 0
        for batch in scanner.to_batches():
            rows += batch.num_rows
            _check_size("rows", rows, MAX_ROWS, self.name)
            yield batch


@contextmanager
def open_table(files: Files, name: str) -> Iterator[Table]:
    """Look at the columns of one of the files; raises UnreadableData when it is empty, broken or forbidden."""

    with opened(files, name) as path, limited_memory():
        if not path.stat().st_size:
            raise UnreadableData("found 0 bytes; accepted is a CSV file with a header line, or a Parquet file", file=name)
        broken_rows: Counter[str] = Counter()
        with reading(name):
            dataset = _csv_dataset(path, broken_rows) if name.lower().endswith(".csv") else _parquet_dataset(path, name)
            _check_size("columns", len(dataset.schema.names), MAX_COLUMNS, name)
            columns = dict(zip(dataset.schema.names, dataset.schema.types, strict=True))
        yield Table(name=name, columns=columns, dataset=dataset, broken_rows=broken_rows)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Translate what Arrow and the file system raise while the file is read."""
    import pyarrow as pa

    try:
        yield
    except MemoryError as error:
        raise UnreadableData(f"reading it takes more memory than the accepted {MAX_MEMORY >> 20:,} MiB", file=name) from error
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        reason = str(error).rpartition(": Invalid: ")[2].partition("\n")[0]
        if "straddling" in reason:
            reason = "it has a line of more than the accepted 1 MiB"
        reason = _ABSOLUTE_PATH.sub("the file", reason)  # no path of the server in an answer
        raise UnreadableData(
            f"{reason}; accepted is comma-separated CSV in UTF-8 with a header line, or Parquet", file=name
        ) from error


def _check_size(what: str, count: int, most: int, name: str) -> None:
    if count > most:
        raise UnreadableData(f"it has {count:,} {what} or more, accepted are {most:,} in one file", file=name)


def _parquet_dataset(path: Path, name: str) -> ds.Dataset:
    """Its footer first: how many rows there are is known before one of them is decoded."""
    import pyarrow.dataset as ds
    from pyarrow import parquet

    with path.open("rb") as file:
        file.seek(-min(8, path.stat().st_size), os.SEEK_END)
        length, mark = int.from_bytes(file.read(4), "little"), file.read(4)
    if mark == MAGIC and length > MAX_FOOTER:
        raise UnreadableData(f"its footer has {length >> 20:,} MiB, accepted are {MAX_FOOTER >> 20}", file=name)
    metadata = parquet.read_metadata(path)
    _check_size("rows", metadata.num_rows, MAX_ROWS, name)
    _check_size("columns", metadata.num_columns, MAX_COLUMNS, name)
    return ds.dataset(path, format="parquet")


def _csv_dataset(path: Path, broken_rows: Counter[str]) -> ds.Dataset:
    """All columns as text: which cells are numbers or times is decided on one queue's rows, not on the file's first block."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyarrow import csv

    def on_broken_row(row: csv.InvalidRow) -> str:
        """One that ends early is being written just now; one with too many cells says that commas mean something else here."""
        if row.actual_columns > row.expected_columns:
            return "error"
        broken_rows["early"] += 1
        return "skip"

    names = ds.dataset(path, format=ds.CsvFileFormat(csv.ParseOptions(invalid_row_handler=lambda _row: "skip"))).schema.names
    texts = csv.ConvertOptions(strings_can_be_null=True, null_values=[""])  # a queue may be called NA
    kind = ds.CsvFileFormat(csv.ParseOptions(invalid_row_handler=on_broken_row), convert_options=texts)
    return ds.dataset(path, format=kind, schema=pa.schema([(name, pa.string()) for name in names]))
