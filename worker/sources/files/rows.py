"""Which rows of a file belong to which queue: their names, what `where` says, and header lines that came again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.samples import Scalar
from shared.errors import UnreadableData
from worker.sources.base import Query
from worker.sources.files.layout import Layout, known_columns
from worker.sources.files.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

Bools = NDArray[np.bool_]
_NAMES = 1 << 9  # characters of a name that are kept, one more than a queue may have: such a name is refused later


def row_columns(table: Table, query: Query) -> list[str]:
    """The columns that say whose a row is."""
    names = () if query.queues_from_columns else query.queue_fields
    return [name for name in dict.fromkeys((query.time_field, *names, *query.where)) if name in table.columns]


def queue_names(table: Table, layout: Layout, query: Query, batch: pa.RecordBatch) -> pa.Array:
    """The queue of each row, null where it has none; of several fields the values with / between, but empty ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if layout.is_by_file:
        return pa.repeat(Path(table.name).stem, batch.num_rows)
    parts = [_texts(table, batch, name) for name in query.queue_fields]
    if len(parts) == 1:
        return parts[0]
    name = pc.binary_join_element_wise(*parts, "/", null_handling="skip")
    return pc.if_else(pc.is_valid(parts[0]), name, pa.scalar(None, pa.string()))


def wanted_rows(table: Table, query: Query, batch: pa.RecordBatch) -> tuple[Bools, int]:
    """The rows that `where` lets through, and how many repeat the header: these are none.

    Raises:
        UnreadableData: a header comes again with other columns, or in another order.
    """
    keep = np.ones(batch.num_rows, dtype=bool)
    headers = 0
    if table.is_csv and query.time_field in batch.schema.names:
        keep = ~_are_headers(table, query, batch)
        headers = batch.num_rows - int(keep.sum())
    for name, values in query.where.items():
        keep &= _matches(_texts(table, batch, name), values)
    return keep, headers


def _are_headers(table: Table, query: Query, batch: pa.RecordBatch) -> Bools:
    """Which rows have the name of their column where the time should be, in whatever letters."""
    import pyarrow as pa
    import pyarrow.compute as pc

    times = pc.utf8_lower(pc.utf8_trim_whitespace(batch[query.time_field]))
    own = query.time_field.lower()
    others = {name.lower() for name in known_columns(query) if name in table.columns} - {own}
    is_other = pc.is_in(times, value_set=pa.array(sorted(others), pa.string()))
    if pc.any(is_other).as_py():
        raise _joined(table, query.time_field, batch[query.time_field].filter(is_other)[0].as_py())
    is_own: Bools = pc.equal(times, own).fill_null(fill_value=False).to_numpy(zero_copy_only=False)
    for header in batch.filter(pa.array(is_own)).to_pylist() if is_own.any() else ():
        for name, cell in header.items():
            if cell is not None and cell.strip().lower() != name.lower():
                raise _joined(table, name, cell)
    return is_own


def _joined(table: Table, column: str, cell: str) -> UnreadableData:
    found = f"found {cell!r} in a header that comes again: two files of different columns were joined"
    return UnreadableData(f"{found}; accepted is one header in a file", file=table.name, column=column)


def names_in(cells: pa.Array) -> Iterable[str]:
    """Every name that is there, cut where no queue's may go on."""
    import pyarrow.compute as pc

    return [name for name in pc.utf8_slice_codeunits(pc.unique(cells), 0, _NAMES).to_pylist() if name]


def _texts(table: Table, batch: pa.RecordBatch, name: str) -> pa.Array:
    """The cells of a column as texts, in a CSV without blanks after the sign between cells; empty ones are null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if name not in table.columns:
        key = table.keys.get(name)
        return pa.nulls(batch.num_rows, pa.string()) if key is None else pa.repeat(key, batch.num_rows)
    texts = batch[name].cast(pa.string())
    if table.is_csv:
        texts = pc.utf8_ltrim_whitespace(texts)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _matches(texts: pa.Array, values: Sequence[Scalar]) -> Bools:
    """Whether a cell has one of the values: a text as it is, a number however it is written, "" where there is none."""
    strings = texts.to_pandas()
    found: Bools = strings.fillna("").isin([value for value in values if isinstance(value, str)]).to_numpy(dtype=bool)
    if booleans := {str(value).lower() for value in values if isinstance(value, bool)}:
        found |= strings.str.lower().isin(booleans).to_numpy()
    if numbers := [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]:
        found |= pd.to_numeric(strings, errors="coerce").isin(numbers).to_numpy()
    return found
