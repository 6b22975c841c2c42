"""Documents whose timestamps are texts or numbers: no range of dates finds them, so all of a queue are read, one by one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from bson import ObjectId

from shared.domain.timegrid import MINUTE
from shared.drivers.mongo import Documents
from shared.errors import EmptySeries, UnreadableData
from worker.sources._moments import (
    advice_on_times,
    as_index,
    lost_times,
    moments_of,
    notes_on_times,
    refuse_no_times,
    refuse_two_kinds,
)
from worker.sources._times import Kind, Times
from worker.sources.base import MAX_SAMPLES, Query
from worker.sources.mongo.fields import value_at
from worker.sources.mongo.pipeline import Filter, checked, documents_of, projected
from worker.sources.mongo.steps import Steps, steps_of
from worker.sources.mongo.times import times_of
from worker.sources.mongo.unasked import Shared

PER_MILLISECOND = {Kind.SECONDS: "1000", Kind.MILLISECONDS: "1", Kind.MICROSECONDS: "1e-3", Kind.NANOSECONDS: "1e-6"}
NO_DATE = ["string", "number"]  # timestamps that a range of dates skips without a word


def has_written(documents: Documents, query: Query, among: Filter) -> bool:
    """Whether one of the queue's documents has text or a number as timestamp; an index makes it free."""
    return documents.find_one({**documents_of(query, among), checked(query.time_field): {"$type": NO_DATE}}) is not None


def read_written(documents: Documents, query: Query, among: Filter, columns: Sequence[str]) -> tuple[Steps, Shared]:
    """Whole steps of all documents of the queue, the time of each read by itself; raises EmptySeries, UnreadableData."""
    told = (query.time_field, *query.judged(columns))  # a document without any of these is of another kind
    rows = [row for row in _rows(documents, query, among, columns) if any(value_at(row, name) is not None for name in told)]
    stored = [value_at(row, query.time_field) for row in rows]
    times = times_of(stored)
    examples = {Kind(kind): str(stored[int(np.argmax(times.kinds == kind))]) for kind in np.unique(times.kinds)}
    refuse_two_kinds(times, examples, query)
    moments = moments_of([times], query)
    refuse_no_times(moments, examples.get(Kind.UNREADABLE), query)
    known = np.flatnonzero(moments.is_known)
    if not len(known):
        index = as_index(moments.at[moments.is_readable])
        found = f"found documents from {index.min():{MINUTE}} to {index.max():{MINUTE}}"
        raise EmptySeries(f"{found}, none in {query.history}", queue=query.queue)
    at = list(as_index(moments.at[known]).to_pydatetime())
    values = [[value_at(rows[place], name) for name in columns] for place in known]
    steps = replace(
        steps_of(query, columns, at, values),
        losses=tuple(lost_times(moments, examples.get(Kind.UNREADABLE), query)),
        notes=tuple(notes_on_times([times], query)),
        advice=(_slow(documents, times, query), *advice_on_times([times], query)),
    )
    return steps, Shared(stored=_shared(at, values, [stored[place] for place in known], query, columns), newest_at=max(at))


def _rows(documents: Documents, query: Query, among: Filter, columns: Sequence[str]) -> list[Mapping[str, object]]:
    """In the order in which they were inserted, which tells the two hours of a change of clocks apart."""
    projection = {"_id": 1, **projected([query.time_field, *columns])}
    rows: list[Mapping[str, object]] = [*documents.find(documents_of(query, among), projection, limit=MAX_SAMPLES + 1)]
    if len(rows) > MAX_SAMPLES:
        raise UnreadableData(f"found more than the accepted {MAX_SAMPLES:,} documents of it", queue=query.queue)
    return sorted(rows, key=lambda row: str(row["_id"])) if all(isinstance(row["_id"], ObjectId) for row in rows) else rows


def _slow(documents: Documents, times: Times, query: Query) -> str:
    kinds = [Kind(kind) for kind in np.unique(times.kinds) if kind]
    return "timestamps that are no dates let a queue's documents be read one by one; this turns them into dates: " + "; ".join(
        dict.fromkeys(_mend(documents, kind, query) for kind in kinds)
    )


def _mend(documents: Documents, kind: Kind, query: Query) -> str:
    """The command that turns timestamps of a kind into dates that mean the same."""
    field, value = (json.dumps(sign + query.time_field, ensure_ascii=False) for sign in ("", "$"))
    types, date = '"string"', f"{{$toDate: {value}}}"
    if kind is Kind.LOCAL and query.samples_timezone not in {None, "UTC"}:
        date = f'{{$dateFromString: {{dateString: {value}, timezone: "{query.samples_timezone}"}}}}'
    elif kind > Kind.LOCAL:
        milliseconds = f"{{$multiply: [{{$toDouble: {value}}}, {PER_MILLISECOND[kind]}]}}"
        types, date = '["string", "number"]', f"{{$toDate: {milliseconds}}}"
    change = f"[{{$set: {{{field}: {date}}}}}]"
    return f'db.getCollection("{documents.name}").updateMany({{{field}: {{$type: {types}}}}}, {change})'


def _shared(
    at: Sequence[datetime], values: Sequence[Sequence[object]], stored: Sequence[object], query: Query, columns: Sequence[str]
) -> dict[datetime, object]:
    judged = [place for place, name in enumerate(columns) if name in query.judged(columns)]
    met: dict[tuple[int, datetime], str] = {}
    shared: dict[datetime, object] = {}
    for moment, row, text in zip(at, values, stored, strict=True):
        own = {(place, moment): str(row[place]) for place in judged if row[place] is not None}
        if any(met.setdefault(key, value) != value for key, value in own.items()):
            shared[moment] = text
    return dict(sorted(shared.items(), key=lambda pair: pair[0]))
