"""Columns of some queues out of a Parquet file. The rows of a queue lie together, so they are taken as slices, not one by one."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING

from worker.collect.sinks._arrow import QUEUE, may_have, moments_of
from worker.collect.sinks.gathered import Gathered
from worker.collect.tables import ROLLUPS

if TYPE_CHECKING:
    import pyarrow as pa

PARTITION = "partition"
Span = tuple[int, int]  # milliseconds since 1970: the first that is meant, and the first that is not any more


def gather(gathered: Gathered, file: Path, span: Span, queues: Sequence[str] | None) -> None:
    """Put what a file has of some queues in a span of time, None = of all. Columns that it lacks are not told."""
    from pyarrow import parquet

    first, last = (min(queues), max(queues)) if queues else ("", "")
    wanted = None if queues is None else frozenset(queues)
    with parquet.ParquetFile(file, read_dictionary=[QUEUE, PARTITION]) as stored:
        known = set(stored.schema_arrow.names)
        names = [name for name in (QUEUE, PARTITION, ROLLUPS.time, *gathered.columns) if name in known]
        for number in range(stored.num_row_groups):
            if not queues or may_have(stored, number, first, last):
                for part in stored.read_row_group(number, columns=names, use_threads=False).to_batches():
                    _put(gathered, part, span, wanted)


def _put(gathered: Gathered, part: pa.RecordBatch, span: Span, wanted: Collection[str] | None) -> None:
    every = moments_of(part[ROLLUPS.time])
    for queue, first, end in _runs(part[QUEUE]):
        if wanted is not None and queue not in wanted:
            continue
        for partition, begin, length in _runs(part[PARTITION].slice(first, end - first)):
            times = every[first + begin : first + length]
            values = [_numbers(part, name, first + begin, len(times)) for name in gathered.columns]
            if min(times) < span[0] or max(times) >= span[1]:
                places = [place for place, at in enumerate(times) if span[0] <= at < span[1]]
                times = array("q", [times[place] for place in places])
                values = [array("d", [own[place] for place in places]) for own in values]
            gathered.extend(queue, partition, array("q", [at // 1_000 for at in times]), values)


def _runs(texts: pa.DictionaryArray) -> Iterator[tuple[str, int, int]]:
    """Texts, and from where to where in the column each is there again and again."""
    names = texts.dictionary.to_pylist()
    places = memoryview(_cells(texts.indices, 4)).cast("i")
    first = 0
    for place, run in groupby(places):
        end = first + sum(1 for _ in run)
        yield names[place], first, end
        first = end


def _numbers(part: pa.RecordBatch, name: str, first: int, length: int) -> array[float]:
    """Cells of a column from this one on; NaN where nothing is told."""
    import pyarrow as pa

    place = part.schema.get_field_index(name)
    own = None if place < 0 else part.column(place).slice(first, length)
    if own is None or own.null_count == length:
        return array("d", [nan]) * length
    if pa.types.is_float64(own.type) and not own.null_count:
        return array("d", _cells(own, 8))
    cells = own.to_pylist()
    return array("d", [float(cell) if isinstance(cell, int | float) else nan for cell in cells])


def _cells(column: pa.Array, size: int) -> bytes:
    """As they lie in memory, each of so many bytes."""
    return memoryview(column.buffers()[1]).cast("B")[column.offset * size : (column.offset + len(column)) * size].tobytes()
