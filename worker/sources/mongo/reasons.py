"""Why a MongoDB collection gave nothing, or not what was asked for: MongoDB itself answers all of that with an empty result."""

from __future__ import annotations

import json
from datetime import datetime

from pymongo.errors import OperationFailure

from shared.domain.identifiers import listed
from shared.domain.timegrid import MINUTE
from shared.drivers.mongo import Documents
from shared.errors import DataError, EmptySeries, SourceNotFound, UnreadableData
from worker.sources.base import Query
from worker.sources.mongo.fields import IS_NOT_A_NUMBER, Kinds, kinds_of, value_at
from worker.sources.mongo.pipeline import Filter, checked, documents_of, samples_of

SAMPLED = 100  # documents from which the fields of a collection are learned
CANNOT_LIST_INDEXES = {13, 166}  # not authorised; a view


def why_no_document(documents: Documents, query: Query, among: Filter) -> DataError:
    """There is no document of the queue ("" = of any queue) at all."""
    queue = query.queue
    database, document = documents.database, documents.find_one()
    if document is None:
        if documents.name not in database.list_collection_names(filter={"name": documents.name}, authorizedCollections=True):
            return no_collection(documents)
        return EmptySeries(f"the collection {documents.name!r} is empty")
    if among and documents.find_one(among) is None:
        conditions = " and ".join(f"{name!r} is {condition['$eq']!r}" for name, condition in among.items())
        return SourceNotFound(f"found no document whose {conditions} in {documents.name!r}")
    kinds = kinds_of(documents.find(among, limit=SAMPLED))
    if missing := [name for name in (*query.queue_fields, *query.where) if not is_anywhere(documents, among, name)]:
        return SourceNotFound("; ".join(no_field(name, kinds) for name in missing))
    kept = " that `where` keeps" if query.where else ""
    return EmptySeries(f"found no document of it{kept} in {documents.name!r}", queue=queue)


def no_collection(documents: Documents) -> SourceNotFound:
    """There is none of this name, or none for whoever asks."""
    return SourceNotFound(f"found no collection {documents.name!r} in the database {documents.database.name!r}")


def is_anywhere(documents: Documents, among: Filter, name: str) -> bool:
    """Whether any document of the place has the field."""
    return documents.find_one({**among, checked(name): {"$exists": True}}) is not None


def faults(documents: Documents, query: Query, among: Filter, kinds: Kinds) -> list[DataError]:
    """What is wrong with the names that a query has, all of it.

    Args:
        kinds: of a few documents; a field that is in none of them may be in others.
    """
    named = dict.fromkeys((query.time_field, *query.queue_fields, *query.where, *query.required))
    missing = [name for name in named if name not in kinds and not is_anywhere(documents, among, name)]
    wrong: list[DataError] = [SourceNotFound(no_field(name, kinds)) for name in missing]
    for name in query.required:
        if name in kinds and not {"number", "text"} & set(kinds[name]):
            (kind, *_) = kinds[name]
            wrong.append(UnreadableData(f"the field {name!r} holds {kind}s; accepted are numbers"))
    return wrong


def why_no_sample(documents: Documents, query: Query, among: Filter) -> DataError:
    """No document of the queue has a date in [start, end)."""
    own = documents_of(query, among)
    kinds = kinds_of(documents.find(own, limit=SAMPLED))
    if not kinds:
        return why_no_document(documents, query, among)
    if missing := [name for name in (query.time_field, *query.required) if name not in kinds]:
        return SourceNotFound(no_field(missing[0], kinds))
    dated = {**own, query.time_field: {"$type": "date", "$not": {"$type": "array"}}}
    first, last = (documents.find_one(dated, sort=[(query.time_field, order)]) for order in (1, -1))
    if first is None or last is None:
        return UnreadableData(f"found no date in {query.time_field!r}; accepted are dates", queue=query.queue)
    ends = [value_at(document, query.time_field) for document in (first, last)]
    start, end = (f"{moment:{MINUTE}}" for moment in ends if isinstance(moment, datetime))
    return EmptySeries(f"found documents from {start} to {end}, none in {query.history}", queue=query.queue)


def why_no_number(documents: Documents, query: Query, among: Filter, name: str) -> DataError | None:
    """No sample has a number in this field; None = the field is there, and only empty, NaN or infinite."""
    samples = samples_of(query, among)
    if documents.find_one({**samples, checked(name): {"$exists": True}}) is None:
        return SourceNotFound(no_field(name, kinds_of(documents.find(samples, limit=SAMPLED))), queue=query.queue)
    document = documents.find_one({**samples, name: IS_NOT_A_NUMBER})
    if document is None:
        return None
    example = value_at(document, name)
    return UnreadableData(
        f"found {type(example).__name__} such as {str(example)[:40]!r} in {name!r}; accepted are numbers, stored as numbers",
        queue=query.queue,
    )


def missing_index(documents: Documents, query: Query, among: Filter) -> str | None:
    """What to tell the owner of a collection that has to be read as a whole for each queue; None when it has its index."""
    try:
        indexes = documents.index_information().values()
    except OperationFailure as error:
        if error.code in CANNOT_LIST_INDEXES:
            return None
        raise
    key = [*query.queue_fields, query.time_field]
    for index in indexes:
        names = [name for name, _ in index["key"] if name not in {*among, *query.where}]  # whose value is given
        if names[: len(key)] == key and "partialFilterExpression" not in index:
            return None
    fields = ", ".join(f"{json.dumps(name, ensure_ascii=False)}: 1" for name in key)
    command = f'db.getCollection("{documents.name}").createIndex({{{fields}}})'
    return f"{documents.name!r} has no index on queue and time, so each queue reads all of it; this makes one: {command}"


def no_field(name: str, kinds: Kinds) -> str:
    """What to say of a field that is not there."""
    is_path = "; the part behind a dot is looked for inside of the one before it" if "." in name else ""
    return f"found no field {name!r}, there are {listed(kinds)}{is_path}"
