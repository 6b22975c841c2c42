"""Panels with one column per queue, as dashboards export them: the columns are the queues, their cells the target."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from shared.domain.identifiers import first_of, listed
from shared.errors import UnreadableData
from worker.sources._lost import MAX_EXAMPLE
from worker.sources._numbers import is_number_type, is_text_type, read_numbers
from worker.sources.base import Query
from worker.sources.files.parts import Asked, FileRows, Kept, Part, Room
from worker.sources.files.ragged import LINE
from worker.sources.files.rows import row_columns, wanted_rows
from worker.sources.files.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

MIN_NUMBERS = 0.1  # share of the filled cells that are numbers, from which on a column is a queue, whatever else is in it
MAX_NAMED = 3
VALUE = "value"  # what the target is called where nobody names one


def wide_names(table: Table, query: Query) -> set[str]:
    """The columns that hold numbers, all but those of the time and of `where`; raises UnreadableData where none does."""
    names, texts = _look(table, query)
    if texts and not names:
        column, example = next(iter(texts.items()))
        found = f"found no column of numbers beside {query.time_field!r}, but for example {example!r} in {column!r}"
        raise UnreadableData(f"{found}; accepted are numbers", file=table.name)
    return names


def _look(table: Table, query: Query) -> tuple[set[str], dict[str, str]]:
    """The columns that hold numbers, and those that hold texts, with one of them: the first rows tell."""
    import pyarrow as pa

    if query.time_field not in table.columns:
        raise UnreadableData(f"found no column {query.time_field!r}, there are {listed(table.columns)}", file=table.name)
    known = {query.time_field, *query.where, ""}
    names = [name for name in table.columns if name not in known and not name.startswith("__index_level_")]
    written = [name for name in names if is_text_type(table.columns[name])]
    numbers = {name for name in names if is_number_type(table.columns[name])}
    texts: dict[str, str] = {}
    for batch in islice(table.batches(written), 1) if written else ():
        for name in written:
            example = _text_in(pa.chunked_array([batch[name]]), query)
            if example is None:
                numbers.add(name)
            else:
                texts[name] = example
    return numbers, texts


def wide_parts(table: Table, asked: Asked, rows: FileRows, room: Room) -> Iterator[tuple[str, Part]]:
    """What the file has of each of the queues."""
    import pyarrow as pa

    query = asked.query
    _, texts = _look(table, query)
    own = [name for name in asked.names if name in table.columns]
    if texts:
        examples = [f"{name!r} (such as {example!r})" for name, example in texts.items()]
        rows.doubts.append(f"columns of text are no queues: left out {first_of(examples, MAX_NAMED)}")
    if not own:
        return
    keys = row_columns(table, query)
    kept, lost, quoted = (Kept(table=table, query=query, names=[""], values=values) for values in (own, [LINE], [LINE]))
    for batch in table.batches([*keys, *own]):
        is_row, headers = wanted_rows(table, query, batch)
        rows.headers += headers
        for some, chosen in ((kept, batch.filter(pa.array(is_row))), *((lost, lines) for lines in table.lost_lines(keys))):
            room.take(some.add(chosen, np.zeros(chosen.num_rows, dtype=np.int32)))
    for lines in table.quoted_lines(keys, query.time_field):
        room.take(quoted.add(lines, np.zeros(lines.num_rows, dtype=np.int32)))
    rows.is_torn = table.ragged.is_torn
    target = query.target or VALUE
    for _, part in kept.parts(dict(lost.parts()), dict(quoted.parts())):
        for name in own:
            yield name, part.of_column(name, target)


def _text_in(column: pa.ChunkedArray, query: Query) -> str | None:
    """A text of a column that holds hardly any number; None = it holds some, or nothing yet."""
    try:
        numbers = read_numbers(column, query.csv)
    except UnreadableData:  # numbers, and what is wrong with them is told when they are read
        return None
    texts, values = int(numbers.is_text.sum()), int(np.isfinite(numbers.values).sum())
    if values >= MIN_NUMBERS * (texts + values):
        return None
    return numbers.written(int(np.argmax(numbers.is_text)))[:MAX_EXAMPLE]
