"""Looks into a collection that read a few documents, or only their times."""

from __future__ import annotations

from datetime import datetime

from shared.drivers.mongo import Document, Documents
from worker.sources.base import Query
from worker.sources.mongo.fields import Kinds, kinds_of
from worker.sources.mongo.pipeline import Filter, samples_of
from worker.sources.mongo.reasons import SAMPLED


def fields_in(documents: Documents, among: Filter, newest_by: str | None = None) -> Kinds:
    """What a few documents tell: the first, and the newest where an index leads to them."""
    kinds = kinds_of(documents.find(among, limit=SAMPLED))
    if newest_by:
        for name, counts in kinds_of(documents.find(among, limit=SAMPLED, sort=[(newest_by, -1)])).items():
            kinds[name] = kinds.get(name, counts) + counts
    return kinds


def span_of(documents: Documents, query: Query, among: Filter) -> tuple[datetime | None, datetime | None]:
    """The first and the last sample of the queue in the history."""
    time = f"${query.time_field}"
    ends = {"$group": {"_id": None, "start_at": {"$min": time}, "end_at": {"$max": time}}}
    for span in documents.aggregate([{"$match": samples_of(query, among)}, ends]):
        return span["start_at"], span["end_at"]
    return None, None


def oldest_before(documents: Documents, query: Query, among: Filter) -> datetime | None:
    """The first sample before the history, by one look into the index."""
    if not (earlier := query.earlier):
        return None
    first: list[Document] = [
        {"$sort": {query.time_field: 1}},
        {"$limit": 1},
        {"$project": {"_id": 0, "at": f"${query.time_field}"}},
    ]
    found = next(iter(documents.aggregate([{"$match": samples_of(earlier, among)}, *first])), None)
    return found["at"] if found else None
