"""Documents of one queue that share timestamps and differ in their numbers: does a field tell them apart?

Looking costs nothing until some are met; then the timestamps are gone through once, and documents of a few of them are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from bson import ObjectId

from shared.drivers.mongo import Documents
from worker.sources._interleaved import has_company, refuse_interleaved
from worker.sources._moments import moments_of
from worker.sources._unasked import are_many, is_unasked, nothing_tells, unasked
from worker.sources.base import Query
from worker.sources.mongo.fields import flat, usable, value_at
from worker.sources.mongo.names import queue_text
from worker.sources.mongo.pipeline import Filter, documents_of, samples_of, shared_pipeline
from worker.sources.mongo.steps import Steps
from worker.sources.mongo.times import times_of

LOOKED_AT = 200  # timestamps
LOOKED_AT_IN_TURN = 2_000  # documents
MAX_VALUES = 20  # of a field of whole numbers that may tell documents apart
ALWAYS = 0.9  # of the timestamps: in so many of them the field differs

Moments = Mapping[object, Sequence[Mapping[str, str]]]  # timestamp → what its documents have that may tell them apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The timestamps at which documents of a queue have different numbers, in order and as they are stored."""

    stored: Mapping[datetime, object]
    newest_at: object  # of all timestamps


def shared_dates(documents: Documents, query: Query, among: Filter, columns: Sequence[str], steps: Steps) -> Shared:
    """Of documents with dates; costs nothing where none came twice."""
    if steps.moments == steps.rows:
        return Shared(stored={}, newest_at=None)
    pipeline = shared_pipeline(query, among, query.judged(columns))
    stored = {row["_id"]: row["_id"] for row in documents.aggregate(pipeline, allowDiskUse=True)}
    newest = documents.find_one(samples_of(query, among), sort=[(query.time_field, -1)]) if stored else None
    return Shared(stored=stored, newest_at=value_at(newest or {}, query.time_field))


def refuse_turns(documents: Documents, query: Query, among: Filter, steps: Steps, *, is_written: bool) -> None:
    """Raises UnreadableData when documents whose times lie seconds apart are of several things in turn; looks at the newest.

    Args:
        is_written: whether times are texts or numbers, by which the server sorts nothing: then the last inserted are the newest.
    """
    if not query.target or steps.moments <= len(steps.frame):
        return
    own = documents_of(query, among) if is_written else samples_of(query, among)
    chosen = {"$and": [own, {query.target: {"$type": ["number", "string"]}}]}
    order = "_id" if is_written else query.time_field
    refuse_turns_among(list(documents.find(chosen, sort=[(order, -1)], limit=LOOKED_AT_IN_TURN)), query)


def refuse_turns_among(newest: Sequence[Mapping[str, object]], query: Query) -> None:
    """Raises UnreadableData as `refuse_turns` does, of documents that have a number or a text in the target."""
    moments = moments_of([times_of([value_at(row, query.time_field) for row in newest])], query)
    target = str(query.target)
    numbers = [usable(query, target, value_at(row, target)) for row in newest]
    rows = pd.DataFrame({"at": moments.at, "value": np.array(numbers, dtype=np.float64)})[moments.is_known].dropna()
    if has_company(rows, query):
        told = pd.DataFrame([dict(_telling(row, _known(query))) for row in newest])
        refuse_interleaved(rows, {str(name): told[name] for name in told}, query)


def refuse_unasked(documents: Documents, query: Query, among: Filter, steps: Steps, shared: Shared) -> None:
    """Raises UnreadableData when keeping the last document of each timestamp would be a choice that nobody has made."""
    count = len(shared.stored)
    if not is_unasked(count, steps.moments, is_newest=shared.newest_at in shared.stored):
        return
    looked = list(shared.stored.values())[:: max(1, count // LOOKED_AT)]
    moments = _moments(documents, query, among, looked)
    names = dict.fromkeys(name for rows in moments.values() for row in rows for name in row)
    told = {name: values for name in names if (values := _values(name, moments))}
    if told:
        column = min(told, key=lambda name: len(told[name]))
        raise unasked(query, column, told[column], next(iter(shared.stored)))
    if are_many(count, steps.moments):
        raise nothing_tells(query, count)


def _moments(documents: Documents, query: Query, among: Filter, looked: Sequence[object]) -> Moments:
    moments: dict[object, list[Mapping[str, str]]] = {}
    chosen = {query.time_field: {"$in": list(looked)}} | ({query.target: {"$ne": None}} if query.target else {})
    for document in documents.find({"$and": [documents_of(query, among), chosen]}):
        row = dict(_telling(document, _known(query)))
        moments.setdefault(value_at(document, query.time_field), []).append(row)
    return moments


def _known(query: Query) -> set[str | None]:
    """The fields that say nothing more."""
    return {query.time_field, query.target, "_id", *(query.queue_fields if len(query.queue_fields) == 1 else ())}


def _telling(document: Mapping[str, object], known: set[str | None]) -> Iterator[tuple[str, str]]:
    """The fields that may say what a document is about: texts, whole numbers, switches, references."""
    for name, value in flat(document):
        is_whole = isinstance(value, float) and value.is_integer()
        if name not in known and (is_whole or isinstance(value, str | int | ObjectId)):
            yield name, queue_text(value) or str(value)


def _values(name: str, moments: Moments) -> list[str]:
    """The values of a field that differs wherever documents share a timestamp; nothing for one that is a number of its own."""
    differing = sum(len({row.get(name, "") for row in rows}) > 1 for rows in moments.values())
    values = {row.get(name, "") for rows in moments.values() for row in rows}
    count = sum(map(len, moments.values()))
    is_number = all(value.lstrip("-").isdigit() for value in values if value)
    if len(values) > (MAX_VALUES if is_number else max(MAX_VALUES, count // 10)):
        return []
    return sorted(values) if differing >= ALWAYS * len(moments) else []
