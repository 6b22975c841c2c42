"""One column of one queue, over all files: its numbers, and the cells that hold none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shared.errors import UnreadableData
from worker.sources._numbers import Numbers, is_text_type, read_numbers
from worker.sources.base import Query
from worker.sources.files.parts import Part

if TYPE_CHECKING:
    import pyarrow as pa

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Numbers of all rows of all files, NaN where there is none of use.

    is_text, is_broken: cells with text, and with a number that none can be. is_outside: those outside the physical range.
    read: the parts as they were read, with the place of each one's first row.
    """

    values: NDArray[np.float64]
    is_text: Bools
    is_broken: Bools
    is_outside: Bools
    filled: int
    read: tuple[tuple[NDArray[np.int64], Numbers], ...]

    def written(self, place: int) -> str:
        """One cell as it stands in its file."""
        for places, numbers in self.read:
            at = int(np.searchsorted(places, place))
            if at < len(places) and places[at] == place:
                return numbers.written(at)
        return ""

    @property
    def said(self) -> str:
        """What was found out about the signs of its numbers."""
        return next((numbers.signs.said for _, numbers in self.read if numbers.signs.said), "")

    @property
    def texts(self) -> list[str]:
        """All cells of files that say numbers by texts, as they are written."""
        return [text for _, numbers in self.read if numbers.texts is not None for text in numbers.texts.drop_null().to_pylist()]

    @property
    def doubt(self) -> str:
        """Why its numbers may mean something else."""
        return next((numbers.signs.doubt for _, numbers in self.read if numbers.signs.doubt), "")


def read_column(parts: Sequence[Part], name: str, query: Query, is_inside: Bools, *, is_needed: bool) -> Column | None:
    """Read a column of all parts; None when it holds no numbers and nobody has asked for it.

    Raises:
        UnreadableData: it is needed and holds no numbers, or is written in two ways.
    """
    try:
        read = _read(parts, name, query)
    except UnreadableData as error:
        if is_needed:
            raise UnreadableData(error.detail, queue=query.queue, file=parts[0].table.name, column=name) from error
        return None
    if is_needed:
        _refuse_texts(parts, name, read, query)
    elif sum(int(numbers.is_text.sum()) for _, numbers in read) > sum(int(np.isfinite(n.values).sum()) for _, n in read):
        return None
    count = len(is_inside)
    values, is_text, is_broken = np.full(count, np.nan), np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    for places, numbers in read:
        values[places], is_text[places], is_broken[places] = numbers.values, numbers.is_text, numbers.is_broken
    values[np.isin(values, query.missing_values)] = np.nan
    low, high = query.physical_range if name == query.target else (None, None)
    is_outside = (values < (-np.inf if low is None else low)) | (values > (np.inf if high is None else high))
    filled = int((np.isfinite(values) | is_text | is_broken)[is_inside].sum())
    values[is_outside] = np.nan
    return Column(values=values, is_text=is_text, is_broken=is_broken, is_outside=is_outside, filled=filled, read=tuple(read))


def _read(parts: Sequence[Part], name: str, query: Query) -> list[tuple[NDArray[np.int64], Numbers]]:
    """The cells as numbers, with the places of their rows: texts of all files together, as they tell by which signs they are
    written, and what is typed by itself.
    """
    import pyarrow as pa

    texts: list[tuple[NDArray[np.int64], pa.ChunkedArray]] = []
    read, start = [], 0
    for part in parts:
        places = np.arange(start, start + part.cells.num_rows)
        start += part.cells.num_rows
        if name not in part.cells.column_names:
            continue
        cells = part.cells[name]
        if is_text_type(cells.type):
            texts.append((places, cells.cast(pa.string())))
        else:
            read.append((places, read_numbers(cells, query.csv)))
    if texts:
        chunks = [chunk for _, cells in texts for chunk in cells.chunks]
        read.append(
            (np.concatenate([places for places, _ in texts]), read_numbers(pa.chunked_array(chunks, pa.string()), query.csv))
        )
    return read


def _refuse_texts(parts: Sequence[Part], name: str, read: Sequence[tuple[NDArray[np.int64], Numbers]], query: Query) -> None:
    """Raises UnreadableData for a column that was asked for and has nothing but text in it."""
    for places, numbers in read:
        if numbers.is_text.any() and not np.isfinite(numbers.values).any():
            example = numbers.written(int(np.argmax(numbers.is_text)))[:40]
            ends = np.cumsum([part.cells.num_rows for part in parts])
            part = parts[int(np.searchsorted(ends, places[0], side="right"))]
            raise UnreadableData(
                f"found string such as {example!r}; accepted are numbers", queue=query.queue, file=part.table.name, column=name
            )
