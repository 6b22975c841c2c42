"""Documents whose timestamps are texts or numbers: no range of dates finds them, so all of a queue are read, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from bson import ObjectId
from numpy.typing import NDArray

from shared.domain.losses import Loss
from shared.drivers.mongo import Documents
from shared.errors import EmptySeries, UnreadableData
from worker.sources._lost import MAX_EXAMPLE, TIMES
from worker.sources._times import ACCEPTED_TIMES, Kind, Times, read_times, to_utc
from worker.sources.base import MAX_SAMPLES, MINUTE, Query
from worker.sources.mongo.fields import value_at
from worker.sources.mongo.pipeline import Filter, checked, documents_of
from worker.sources.mongo.steps import Steps, steps_of
from worker.sources.mongo.unasked import Shared

NO_DATE = ["string", "number"]  # timestamps that a range of dates skips without a word


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What such a queue has: whole steps, and what is to be said of it."""

    steps: Steps
    losses: tuple[Loss, ...]
    notes: tuple[str, ...]
    advice: tuple[str, ...]
    shared: Shared


def has_written(documents: Documents, query: Query, among: Filter) -> bool:
    """Whether one of the queue's documents has text or a number as timestamp; an index makes it free."""
    return documents.find_one({**documents_of(query, among), checked(query.time_field): {"$type": NO_DATE}}) is not None


def read_written(documents: Documents, query: Query, among: Filter, columns: Sequence[str]) -> Written:
    """Every document of the queue, its time read by itself; raises EmptySeries, UnreadableData."""
    rows = _rows(documents, query, among, columns)
    stored = [value_at(row, query.time_field) for row in rows]
    times = _times(stored)
    _refuse_two_kinds(times, stored, query)
    moments = _utc(times, query)
    is_readable = times.kinds != Kind.UNREADABLE
    if not is_readable.any():
        reason = f"found no timestamp in {len(rows):,} documents, but for example {str(stored[0])[:MAX_EXAMPLE]!r}"
        raise UnreadableData(f"{reason}; accepted are dates, {ACCEPTED_TIMES}", queue=query.queue)
    index = pd.DatetimeIndex(moments.view("datetime64[us]")).tz_localize("UTC")
    inside = np.flatnonzero(is_readable & (index >= pd.Timestamp(query.known_from)) & (index < pd.Timestamp(query.end)))
    if not len(inside):
        known = index[is_readable]
        found = f"found documents from {known.min():{MINUTE}} to {known.max():{MINUTE}}"
        raise EmptySeries(f"{found}, none in {query.history}", queue=query.queue)
    at = [moment.to_pydatetime() for moment in index[inside]]
    values = [[value_at(rows[place], name) for name in columns] for place in inside]
    steps = steps_of(query, columns, at, values)
    return Written(
        steps=steps,
        losses=_lost_times(stored, is_readable, index, len(inside), query),
        notes=tuple(_notes(times, query)),
        advice=tuple(_advice(documents, times, query)),
        shared=Shared(stored=_shared(at, values, [stored[place] for place in inside], query, columns), newest_at=max(at)),
    )


def _rows(documents: Documents, query: Query, among: Filter, columns: Sequence[str]) -> list[Mapping[str, object]]:
    """In the order in which they were inserted, which tells the two hours of a change of clocks apart."""
    projection = {"_id": 1, checked(query.time_field): 1, **dict.fromkeys(map(checked, columns), 1)}
    rows: list[Mapping[str, object]] = [*documents.find(documents_of(query, among), projection, limit=MAX_SAMPLES + 1)]
    if len(rows) > MAX_SAMPLES:
        raise UnreadableData(f"found more than the accepted {MAX_SAMPLES:,} documents of it", queue=query.queue)
    return sorted(rows, key=lambda row: str(row["_id"])) if all(isinstance(row["_id"], ObjectId) for row in rows) else rows


def _times(stored: Sequence[object]) -> Times:
    """Dates, texts and numbers, each by itself."""
    import pyarrow as pa

    moments, kinds = np.zeros(len(stored), dtype=np.int64), np.zeros(len(stored), dtype=np.uint8)
    for accepted, kind in ((datetime, pa.timestamp("us", tz="UTC")), (str, pa.string()), (int | float, pa.float64())):
        places = [place for place, value in enumerate(stored) if isinstance(value, accepted) and not isinstance(value, bool)]
        if places:
            own = read_times(pa.array([stored[place] for place in places], kind))
            moments[places], kinds[places] = own.moments, own.kinds
    return Times(moments=moments, kinds=kinds)


def _utc(times: Times, query: Query) -> NDArray[np.int64]:
    is_local, moments = times.kinds == Kind.LOCAL, times.moments.copy()
    if is_local.any() and query.samples_timezone not in {None, "UTC"}:
        moments[is_local] = to_utc(moments[is_local], str(query.samples_timezone))
    return moments


def _refuse_two_kinds(times: Times, stored: Sequence[object], query: Query) -> None:
    """Raises UnreadableData for two kinds, of which a guess would be right for one only."""
    kinds, counts = np.unique(times.kinds[times.kinds != Kind.UNREADABLE], return_counts=True)
    if len(kinds) < 2 or (set(kinds) == {Kind.ZONED, Kind.LOCAL} and query.samples_timezone):
        return
    examples = {kind: str(stored[int(np.argmax(times.kinds == kind))])[:MAX_EXAMPLE] for kind in kinds}
    found = " and ".join(
        f"{counts[place]:,} {Kind(kinds[place]).words} such as {examples[kinds[place]]!r}" for place in np.argsort(-counts)
    )
    raise UnreadableData(f"found {found} in {query.time_field!r}; accepted is one kind in every row", queue=query.queue)


def _lost_times(
    stored: Sequence[object], is_readable: NDArray[np.bool_], index: pd.DatetimeIndex, inside: int, query: Query
) -> tuple[Loss, ...]:
    """Documents whose time cannot be read, between documents whose can."""
    lost, known = np.flatnonzero(~is_readable), np.flatnonzero(is_readable)
    if not len(lost):
        return ()
    before, after = known[known < lost[0]], known[known > lost[-1]]
    around = (before[-1] if len(before) else known[0], after[0] if len(after) else known[-1])
    first_at, last_at = sorted(index[place].to_pydatetime() for place in around)
    loss = Loss(
        what=TIMES,
        column=query.time_field,
        count=len(lost),
        total=inside + len(lost),
        first_at=first_at,
        last_at=last_at,
        example=str(stored[lost[0]])[:MAX_EXAMPLE],
        advice=f"accepted are dates, {ACCEPTED_TIMES}",
        is_at_end=not len(after),
    )
    return (loss,)


def _notes(times: Times, query: Query) -> list[str]:
    """What was assumed."""
    kinds = [Kind(kind) for kind in np.unique(times.kinds)]
    zone = f"timestamps carry no time zone and were taken as {query.samples_timezone or 'UTC'}"
    units = [f"timestamps are numbers and were read as {kind.name.lower()} since 1970" for kind in kinds if kind > Kind.LOCAL]
    return [*([zone] if Kind.LOCAL in kinds else []), *units]


def _advice(documents: Documents, times: Times, query: Query) -> list[str]:
    name = query.time_field
    mend = f'[{{$set: {{"{name}": {{$toDate: "${name}"}}}}}}]'
    slow = (
        "timestamps that are no dates let a queue's documents be read one by one; this turns texts into dates:"
        f' db.getCollection("{documents.name}").updateMany({{"{name}": {{$type: "string"}}}}, {mend})'
    )
    doubt = (
        f"timestamps carry no time zone and were taken as UTC, although `timezone` is {query.timezone}: say in"
        " `samples_timezone` in which zone they were written"
    )
    is_doubtful = Kind.LOCAL in times.kinds and query.samples_timezone is None and query.timezone != "UTC"
    return [slow, *([doubt] if is_doubtful else [])]


def _shared(
    at: Sequence[datetime], values: Sequence[Sequence[object]], stored: Sequence[object], query: Query, columns: Sequence[str]
) -> dict[datetime, object]:
    judged = [place for place, name in enumerate(columns) if name in query.judged(columns)]
    met: dict[datetime, list[str]] = {}
    shared: dict[datetime, object] = {}
    for moment, row, text in zip(at, values, stored, strict=True):
        own = [str(row[place]) for place in judged]
        if met.setdefault(moment, own) != own:
            shared[moment] = text
    return dict(sorted(shared.items(), key=lambda pair: pair[0]))
