"""One CSV or Parquet file as a table: which columns it has, which queues are in it, and the rows of one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from shared.errors import UnreadableData
from worker.sources._files import Files, opened

if TYPE_CHECKING:
    import pyarrow as pa


MOST_BYTES = 1 << 30  # of one queue in one file, decoded: a sample every second for a year is half of it
_ABSOLUTE_PATH = re.compile(r"'(?:/[^'/]+)+'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file whose columns are known and whose rows have not been read.

    name: path inside the connection's folder, for messages.
    columns: name → Arrow type; every column of a CSV is text.
    broken_rows: the rows of a CSV that ended early, once `rows` has met and left them out.
    """

    name: str
    columns: dict[str, Any]
    dataset: Any
    broken_rows: list[str]

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
            for batch in self.dataset.to_batches(columns=[queue_field], use_threads=False):
                names |= {name for name in pc.unique(batch.column(0).cast(pa.string())).to_pylist() if name}
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
            scanner = self.dataset.scanner(columns=list(columns), filter=chosen, use_threads=False)
            return pa.Table.from_batches(self._bounded(scanner.to_batches()), schema=scanner.projected_schema)

    def _bounded(self, batches: Iterable[Any]) -> Iterator[Any]:
        """The batches; a small Parquet file may stand for more rows than any memory holds."""
        read = 0
        for batch in batches:
            read += batch.nbytes
            if read > MOST_BYTES:
                raise UnreadableData(f"one queue's rows take more than the accepted {MOST_BYTES >> 20:,} MiB", file=self.name)
            yield batch


@contextmanager
def open_table(files: Files, name: str) -> Iterator[Table]:
    """Look at the columns of one of the files; raises UnreadableData when it is empty, broken or forbidden."""
    import pyarrow.dataset as ds

    with opened(files, name) as path:
        if not path.stat().st_size:
            raise UnreadableData("found 0 bytes; accepted is a CSV file with a header line, or a Parquet file", file=name)
        broken_rows: list[str] = []
        with reading(name):
            dataset = _csv_dataset(path, broken_rows) if name.lower().endswith(".csv") else ds.dataset(path, format="parquet")
            columns = dict(zip(dataset.schema.names, dataset.schema.types, strict=True))
        yield Table(name=name, columns=columns, dataset=dataset, broken_rows=broken_rows)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Translate what Arrow and the file system raise while the file is read."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        reason = str(error).rpartition(": Invalid: ")[2].partition("\n")[0]
        reason = _ABSOLUTE_PATH.sub("the file", reason)  # where our files lie is nobody's business
        raise UnreadableData(
            f"{reason}; accepted is comma-separated CSV in UTF-8 with a header line, or Parquet", file=name
        ) from error


def _csv_dataset(path: Path, broken_rows: list[str]) -> Any:
    """All columns as text: which cells are numbers or times is decided on one queue's rows, not on the file's first block."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyarrow import csv

    def on_broken_row(row: Any) -> str:
        """One that ends early is being written just now; one with too many cells says that commas mean something else here."""
        if row.actual_columns > row.expected_columns:
            return "error"
        broken_rows.append(row.text)
        return "skip"

    names = ds.dataset(path, format=ds.CsvFileFormat(csv.ParseOptions(invalid_row_handler=lambda _row: "skip"))).schema.names
    texts = csv.ConvertOptions(strings_can_be_null=True)
    kind = ds.CsvFileFormat(csv.ParseOptions(invalid_row_handler=on_broken_row), convert_options=texts)
    return ds.dataset(path, format=kind, schema=pa.schema([(name, pa.string()) for name in names]))
