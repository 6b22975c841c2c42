"""Documents of one queue that share timestamps and differ in their numbers: does a field tell them apart?

Looking costs nothing until some are met; then the timestamps are gone through once, and documents of a few of them are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast

from bson import ObjectId

from shared.drivers.mongo import Documents
from worker.sources._mongo_fields import flat, value_at
from worker.sources._mongo_pipeline import Filter, documents_of, queue_text, shared_pipeline
from worker.sources._mongo_steps import Steps
from worker.sources._unasked import are_many, is_unasked, nothing_tells, unasked
from worker.sources.base import Query

LOOKED_AT = 200  # timestamps
MAX_VALUES = 20  # of a field of whole numbers that may tell documents apart
ALWAYS = 0.9  # of the timestamps: in so many of them the field differs

Moments = Mapping[datetime, Sequence[Mapping[str, str]]]  # timestamp → what its documents have that may tell them apart


def refuse_unasked(documents: Documents, query: Query, among: Filter, columns: Sequence[str], steps: Steps) -> None:
    """Raises UnreadableData when keeping the last document of each timestamp would be a choice that nobody has made."""
    if steps.moments == steps.rows:
        return
    judged = query.judged(columns)
    shared = [row["_id"] for row in documents.aggregate(shared_pipeline(query, among, judged), allowDiskUse=True)]
    if not shared:
        return
    newest = value_at(documents.find_one(documents_of(query, among), sort=[(query.time_field, -1)]) or {}, query.time_field)
    if not is_unasked(len(shared), steps.moments, is_newest=newest == shared[-1]):
        return
    looked = shared[:: max(1, len(shared) // LOOKED_AT)]
    moments = _moments(documents, query, among, looked)
    names = dict.fromkeys(name for rows in moments.values() for row in rows for name in row)
    told = {name: values for name in names if (values := _values(name, moments))}
    if told:
        column = min(told, key=lambda name: len(told[name]))
        raise unasked(query, column, told[column], shared[0])
    if are_many(len(shared), steps.moments):
        raise nothing_tells(query, len(shared))


def _moments(documents: Documents, query: Query, among: Filter, looked: Sequence[datetime]) -> Moments:
    known = {query.time_field, query.target, "_id", *(query.queue_fields if len(query.queue_fields) == 1 else ())}
    moments: dict[datetime, list[Mapping[str, str]]] = {}
    for document in documents.find({"$and": [documents_of(query, among), {query.time_field: {"$in": list(looked)}}]}):
        row = dict(_telling(document, known))
        moments.setdefault(cast("datetime", value_at(document, query.time_field)), []).append(row)
    return moments


def _telling(document: Mapping[str, object], known: set[str | None]) -> Iterator[tuple[str, str]]:
    """The fields that may say what a document is about: texts, whole numbers, switches, references."""
    for name, value in flat(document):
        if name not in known and isinstance(value, str | int | ObjectId):
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
