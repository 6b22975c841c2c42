"""Panels with one column per queue, as dashboards export them: the columns are the queues, their cells the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from shared.errors import UnreadableData
from worker.sources._numbers import is_number_type, read_numbers
from worker.sources.base import Query
from worker.sources.files.parts import Asked, FileRows, Kept, Part, Room
from worker.sources.files.ragged import LINE
from worker.sources.files.rows import row_columns, wanted_rows
from worker.sources.files.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

VALUE = "value"  # what the target is called where nobody names one


def wide_names(table: Table, query: Query) -> set[str]:
    """The columns that hold numbers, all but those of the time and of `where`."""
    import pyarrow as pa

    known = {query.time_field, *query.where, ""}
    names = [name for name in table.columns if name not in known and not name.startswith("__index_level_")]
    if query.time_field not in table.columns:
        raise UnreadableData(f"found no column {query.time_field!r}", file=table.name)
    if not table.is_csv:
        return {name for name in names if is_number_type(table.columns[name])}
    for batch in table.batches(names):  # the first rows tell
        return {name for name in names if _are_numbers(pa.chunked_array([batch[name]]), query)}
    return set()


def wide_parts(table: Table, asked: Asked, rows: FileRows, room: Room) -> Iterator[tuple[str, Part]]:
    """What the file has of each of the queues."""
    import pyarrow as pa

    query = asked.query
    own = [name for name in asked.names if name in table.columns]
    if not own:
        return
    keys = row_columns(table, query)
    kept, lost = (Kept(table=table, query=query, names=[""], values=values) for values in (own, [LINE]))
    for batch in table.batches([*keys, *own]):
        is_row, headers = wanted_rows(table, query, batch)
        rows.headers += headers
        for some, chosen in ((kept, batch.filter(pa.array(is_row))), *((lost, lines) for lines in table.lost_lines(keys))):
            room.take(some.add(chosen, np.zeros(chosen.num_rows, dtype=np.int32)))
    rows.is_torn = table.ragged.is_torn
    target = query.target or VALUE
    for _, part in kept.parts(dict(lost.parts({}))):
        for name in own:
            yield name, part.of_column(name, target)


def _are_numbers(column: pa.ChunkedArray, query: Query) -> bool:
    """Whether most of the filled cells are numbers; a column without any may have some later."""
    try:
        return not read_numbers(column, query.csv).are_text
    except UnreadableData:  # numbers, and what is wrong with them is told when they are read
        return True
