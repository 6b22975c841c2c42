"""One queue's rows of all files as samples: times as UTC, cells as numbers, and what had to be left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from shared.errors import UnreadableData
from worker.sources._moments import Bools, Moments, as_index, moments_of, refuse_no_times, refuse_two_kinds
from worker.sources._times import Kind
from worker.sources.base import Query
from worker.sources.files.columns import Column, read_column
from worker.sources.files.layout import texts_in
from worker.sources.files.parts import NOTHING, Part

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What the files have of a queue, in their order.

    rows: when they were taken. columns: of numbers, the target first. texts: columns that nobody asked for and that hold no
    numbers, or in two ways.
    """

    rows: Moments
    columns: Mapping[str, Column]
    texts: tuple[str, ...]

    def frame(self, chosen: Bools) -> pd.DataFrame:
        """These rows, sorted by time, those of one time in the order of the files."""
        places = np.flatnonzero(chosen)
        places = places[np.argsort(self.rows.at[places], kind="stable")]
        cells = {name: column.values[places] for name, column in self.columns.items()}
        return pd.DataFrame(cells, index=as_index(self.rows.at[places]))


def read_samples(parts: Sequence[Part], query: Query) -> Samples:
    """Read times and numbers.

    Raises:
        UnreadableData: a column that is needed holds no numbers, or holds them in two ways; timestamps are of two kinds.
    """
    for part in parts:
        refuse_two_kinds(part.times, part.examples, query, file=part.table.name)
    _refuse_two_kinds_of_files(parts, query)
    rows = moments_of([part.times for part in parts], query)
    refuse_no_times(rows, unreadable(parts), query, file=parts[0].table.name)
    columns, texts = _columns(parts, query, rows.is_inside)
    return Samples(rows=rows, columns=columns, texts=texts)


def unreadable(parts: Sequence[Part]) -> str | None:
    """A timestamp that is none, as it is written."""
    return next((part.unreadable for part in parts if part.unreadable), None)


def _columns(parts: Sequence[Part], query: Query, is_inside: Bools) -> tuple[dict[str, Column], tuple[str, ...]]:
    """The columns of numbers, and the names of those that hold none and that nobody has asked for."""
    names = dict.fromkeys(name for part in parts for name in part.cells.column_names)
    needed = set(query.required) | ({query.target} if query.queues_from_columns else set())
    columns: dict[str, Column] = {}
    texts = [name for part in parts for name in texts_in(part.table, query) if query.columns is None]
    for name in (name for name in names if name != NOTHING):
        column = read_column(parts, name, query, is_inside, is_needed=name in needed)
        if column is None:
            texts.append(name)
        else:
            columns[name] = column
    return columns, tuple(dict.fromkeys(texts))


def _refuse_two_kinds_of_files(parts: Sequence[Part], query: Query) -> None:
    local = [part for part in parts if Kind.LOCAL in part.times.kinds]
    others = [part for part in parts if (part.times.kinds > Kind.UNREADABLE).any() and Kind.LOCAL not in part.times.kinds]
    if local and others and query.samples_timezone is None:
        found = f"found files with a time zone in their timestamps ({others[0].table.name}) and files without"
        raise UnreadableData(
            f"{found} ({local[0].table.name}); say in `samples_timezone` in which zone those without were written",
            queue=query.queue,
        )
