"""One queue's rows of all files as samples: times as UTC, cells as numbers, and what had to be left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.timegrid import to_epoch
from shared.errors import UnreadableData
from worker.sources._times import ACCEPTED_TIMES, Kind, Times, utc
from worker.sources.base import Query
from worker.sources.files.columns import Column, read_column
from worker.sources.files.layout import texts_in
from worker.sources.files.parts import MICROSECONDS, NOTHING, Part

if TYPE_CHECKING:
    from collections.abc import Mapping

Moments = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What the files have of a queue, in their order.

    moments: microseconds since 1970, UTC. is_readable: whether a row has a time at all; is_inside: whether it is in the history.
    columns: of numbers, the target first. texts: columns that nobody asked for and that hold no numbers, or in two ways.
    """

    moments: Moments
    is_readable: Bools
    is_inside: Bools
    columns: Mapping[str, Column]
    texts: tuple[str, ...]

    def frame(self, chosen: Bools) -> pd.DataFrame:
        """These rows, sorted by time, those of one time in the order of the files."""
        places = np.flatnonzero(chosen)
        places = places[np.argsort(self.moments[places], kind="stable")]
        cells = {name: column.values[places] for name, column in self.columns.items()}
        return pd.DataFrame(cells, index=as_index(self.moments[places]))


def read_samples(parts: Sequence[Part], query: Query) -> Samples:
    """Read times and numbers.

    Raises:
        UnreadableData: a column that is needed holds no numbers, or holds them in two ways; timestamps are of two kinds.
    """
    for part in parts:
        _refuse_two_kinds(part, query)
    _refuse_two_kinds_of_files(parts, query)
    moments, is_readable, is_inside = placed([part.times for part in parts], query)
    if len(is_readable) and not is_readable.any():
        example = next((part.unreadable for part in parts if part.unreadable), None)
        found = f"but for example {example[:40]!r}" if example else "all are empty"
        reason = f"found no timestamp in {len(is_readable):,} rows, {found}; accepted are {ACCEPTED_TIMES}"
        raise UnreadableData(reason, queue=query.queue, file=parts[0].table.name, column=query.time_field)
    columns, texts = _columns(parts, query, is_inside)
    return Samples(moments=moments, is_readable=is_readable, is_inside=is_inside, columns=columns, texts=texts)


def placed(times: Sequence[Times], query: Query) -> tuple[Moments, Bools, Bools]:
    """Where rows lie: their moments as UTC, which of them are known at all, and which are in the history."""
    moments = np.concatenate([utc(some, query.samples_timezone) for some in times])
    is_readable = np.concatenate([some.kinds for some in times]) != Kind.UNREADABLE
    first, last = (to_epoch(moment) * MICROSECONDS for moment in (query.start, query.end))
    return moments, is_readable, is_readable & (moments >= first) & (moments < last)


def as_index(moments: Moments) -> pd.DatetimeIndex:
    """Microseconds since 1970 as times."""
    return pd.DatetimeIndex(moments.view("datetime64[us]")).as_unit("ns").tz_localize("UTC")


def moment_at(moments: Moments, place: int) -> datetime:
    """One of them."""
    return pd.Timestamp(int(moments[place]), unit="us", tz="UTC").to_pydatetime()


def notes_on_times(parts: Sequence[Part], query: Query) -> Iterator[str]:
    """What was assumed about timestamps."""
    kinds = {Kind(kind) for part in parts for kind in np.unique(part.times.kinds)}
    for kind in sorted(kinds - {Kind.UNREADABLE, Kind.ZONED}):
        if kind is Kind.LOCAL:
            yield f"timestamps carry no time zone and were taken as {query.samples_timezone or 'UTC'}"
        else:
            yield f"timestamps are numbers and were read as {kind.name.lower()} since 1970"


def advice_on_times(parts: Sequence[Part], query: Query) -> Iterator[str]:
    """What to say of times without a zone, where the request names another zone than the one that was assumed."""
    if query.samples_timezone is None and query.timezone != "UTC" and any(Kind.LOCAL in part.times.kinds for part in parts):
        yield (
            f"timestamps carry no time zone and were taken as UTC, although `timezone` is {query.timezone}: say in"
            " `samples_timezone` in which zone they were written"
        )


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


def _refuse_two_kinds(part: Part, query: Query) -> None:
    """Raises UnreadableData when a file's timestamps of the queue are written in two ways: a guess would be one for each."""
    kinds, counts = np.unique(part.times.kinds[part.times.kinds != Kind.UNREADABLE], return_counts=True)
    if len(kinds) < 2:
        return
    order = np.argsort(-counts, kind="stable")
    found = " and ".join(
        f"{counts[place]:,} {Kind(kinds[place]).words} such as {part.examples[Kind(kinds[place])][:40]!r}" for place in order
    )
    rare = part.times.moments[part.times.kinds == kinds[order[-1]]]
    span = f"the latter from {as_index(rare)[0]:%Y-%m-%d %H:%M} to {as_index(rare)[-1]:%Y-%m-%d %H:%M}"
    raise UnreadableData(
        f"found {found}, {span}; accepted is one kind in every row",
        queue=query.queue,
        file=part.table.name,
        column=query.time_field,
    )


def _refuse_two_kinds_of_files(parts: Sequence[Part], query: Query) -> None:
    local = [part for part in parts if Kind.LOCAL in part.times.kinds]
    others = [part for part in parts if (part.times.kinds > Kind.UNREADABLE).any() and Kind.LOCAL not in part.times.kinds]
    if local and others and query.samples_timezone is None:
        found = f"found files with a time zone in their timestamps ({others[0].table.name}) and files without"
        raise UnreadableData(
            f"{found} ({local[0].table.name}); say in `samples_timezone` in which zone those without were written",
            queue=query.queue,
        )
