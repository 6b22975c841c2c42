"""What MongoDB is asked, as pure data: filters, and the pipeline that turns samples into whole steps in the server.

No operator, filter or pipeline comes from a request: names are plain names, and values are compared by `$eq` or `$in`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import nan

from bson import Int64

from shared.domain.identifiers import is_column
from shared.domain.places import Place
from shared.domain.samples import Aggregation
from shared.domain.timegrid import SECONDS_PER_DAY
from shared.drivers.mongo import Document
from shared.errors import InvalidRequest
from worker.sources._names import splits
from worker.sources._numbers import MAX_NUMBER
from worker.sources.base import NO_LIMIT, Query
from worker.sources.mongo.names import MAX_INTEGER, queue_filter, value_filter
from worker.sources.mongo.ordered import chosen

Filter = Document
Pipeline = list[Document]

ACCUMULATORS = {
    Aggregation.MEAN: "$avg",
    Aggregation.MEDIAN: "$push",
    Aggregation.P95: "$push",
    Aggregation.MIN: "$min",
    Aggregation.MAX: "$max",
}
NO_TIMES = ["object", "binData", "objectId", "bool", "regex", "timestamp", "javascript", "minKey", "maxKey"]
# Not arrays: their parts are names of queues, and an index would lead from their type to all of its entries.
NO_NAMES = ["object", "bool", "date", "decimal", "binData", "regex", "timestamp", "javascript", "minKey", "maxKey"]
LOST = True  # among the numbers of a pipeline: what is there and none; `$avg` and `$min` leave it out


def documents_at(place: Place, document_field: str) -> Filter:
    """What every document of the place has: its discriminator, when the place names a `document`."""
    return {} if place.document is None else {checked(document_field): {"$eq": str(place.document)}}


def samples_of(query: Query, among: Filter) -> Filter:
    """The queue's documents with a date in [start, end). A text or number is never in a range of dates; an array may be.

    Args:
        among: the filter of `documents_at`.
    """
    return {**documents_of(query, among), checked(query.time_field): inside(query)}


def inside(query: Query) -> Document:
    """The condition that a time is a date in the history."""
    return {"$type": "date", "$not": {"$type": "array"}, "$gte": query.start, "$lt": query.end}


def timeless_of(query: Query, among: Filter, columns: Sequence[str]) -> Filter:
    """The queue's documents with a value in one of the columns, and nothing as time that may be one; an index leads to them.

    Of arrays those with a date in [start, end): to look for others would be to read every document.
    """
    time = checked(query.time_field)
    array = {"$type": "array", "$gte": query.start, "$lt": query.end}
    timeless = [{time: None}, {time: {"$type": NO_TIMES}}, {time: array}]
    some = [{checked(name): {"$ne": None}} for name in columns]
    return {"$and": [documents_of(query, among), {"$or": timeless}, {"$or": some}]}


def nameless_of(query: Query, among: Filter, columns: Sequence[str], times: Document) -> Filter:
    """Documents with a value in one of the columns and no name of a queue; an index on queue and time leads to them.

    Args:
        times: the condition on their time.
    """
    name = checked(query.queue_field)
    nothing = {"$or": [{name: {"$in": [None, "", nan]}}, {name: {"$type": NO_NAMES}}]}
    some = {"$or": [{checked(column): {"$ne": None}} for column in columns]}
    return {"$and": [documents_of(replace(query, queue=""), among), nothing, {checked(query.time_field): times}, some]}


def documents_of(query: Query, among: Filter) -> Filter:
    """The queue's documents ("" = those of every queue) that `where` keeps, whatever their time."""
    kept = [{checked(name): value_filter(values)} for name, values in query.where.items()]
    parts = [*([among] if among else []), *([_of_queue(query)] if query.queue else []), *kept]
    names = [name for part in parts for name in part]
    if len(set(names)) == len(names):
        return {name: condition for part in parts for name, condition in part.items()}
    return {"$and": parts}


def _of_queue(query: Query) -> Filter:
    if len(query.queue_fields) == 1:
        return {checked(query.queue_field): queue_filter(query.queue)}
    fields = [checked(name) for name in query.queue_fields]
    ways = splits(query.queue, len(fields))
    return {"$or": [dict(zip(fields, map(_part_filter, parts), strict=True)) for parts in ways]}


def _part_filter(part: str) -> Filter:
    return queue_filter(part) if part else {"$in": [None, ""]}


def steps_pipeline(
    query: Query, samples: Filter, columns: Sequence[str], *, has_repeats: bool = False, by: Document | None = None
) -> Pipeline:
    """One document per step, in order: `rows`, `moments` (distinct timestamps), `usable`, their `newest`, `lost`, `v0` ….

    Args:
        samples: the filter of the documents that count.
        columns: the target first, if there is one: `usable` counts the rows with a number in it, else in any of them.
        has_repeats: let the last value of each timestamp win, which takes half as long again. Without it, every row counts, and
            fewer `moments` than `rows` say that some came twice; telling them costs nothing measurable. `lost` counts the rows
            with a value in one of the columns that is of no use.
        by: what tells the queues of documents apart: `_id` has it as `q`, and the step as `at`; not where there are repeats.
    """
    moment = "$_id" if has_repeats else f"${checked(query.time_field)}"
    fields = [f"$r{place}" if has_repeats else f"${checked(name)}" for place, name in enumerate(columns)]
    values = {f"v{place}": clean(query, name, fields[place]) for place, name in enumerate(columns)}
    step = {"q": "$q", "at": _bucket("$at", query)} if by else _bucket("$at", query)
    results = {value: {ACCUMULATORS[query.aggregation]: _number_of(query, f"${value}")} for value in values}
    return [
        {"$match": samples},
        *(_last_of_each_moment(query, columns) if has_repeats else []),
        {"$project": {"_id": 0, "at": moment, "rows": 1, **({"q": by} if by else {}), **values}},
        {"$group": {"_id": step, **_counts(query, list(values), has_repeats=has_repeats), **results}},
        *([] if has_repeats else [{"$set": {"moments": {"$size": "$moments"}}}]),
        *chosen(list(values), query.aggregation),
        {"$sort": {"_id": 1}},
    ]


def _counts(query: Query, values: Sequence[str], *, has_repeats: bool) -> Document:
    """What is counted of the samples of a step, which have these values."""
    is_usable = {"$or": [{"$isNumber": f"${value}"} for value in (values if query.target is None else ["v0"])]}
    return {
        "rows": {"$sum": "$rows" if has_repeats else 1},
        "moments": {"$sum": 1} if has_repeats else {"$addToSet": "$at"},
        "usable": _count(is_usable),
        "newest": {"$max": {"$cond": [is_usable, "$at", None]}},
        "lost": _count({"$or": [{"$eq": [f"${value}", LOST]} for value in values]}),
    }


def checked(name: str) -> str:
    """The name of a field, as it is; raises InvalidRequest for an operator, or a variable such as `$ROOT`."""
    if not (isinstance(name, str) and is_column(name)):
        raise InvalidRequest(f"found the field {str(name)[:40]!r}; accepted are names without a leading $")
    return name


def projected(names: Sequence[str]) -> Filter:
    """The fields with these names and what lies in them; MongoDB refuses to give both `a` and `a.b`."""
    return {checked(name).partition(".")[0]: 1 for name in names}


def _bucket(moment: str, query: Query) -> Filter:
    """Its start as in shared/domain/timegrid.py, never by `$dateTrunc`, whose borders are others.

    Of days of a time zone its number from the first step on: where that begins is ours to say.
    """
    if zone := query.grid.day_timezone:
        midnights = {"$dateDiff": {"startDate": query.start, "endDate": moment, "unit": "day", "timezone": zone}}
        return {"$floor": {"$divide": [midnights, query.step_seconds // SECONDS_PER_DAY]}}
    milliseconds, period_ms = {"$toLong": moment}, query.step_seconds * 1_000
    return {"$toDate": {"$subtract": [milliseconds, {"$mod": [milliseconds, period_ms]}]}}


def clean(query: Query, name: str, value: str) -> Filter:
    """The number of a field, null where there is none, and `LOST` for what is there and of no use.

    NaN is less than any number; it and infinity would poison means. A text is the number that it says.
    """
    low, high = query.physical_range if name == query.target else (None, None)
    least = {"$gt": ["$$n", -MAX_NUMBER]} if low is None else {"$gte": ["$$n", low]}
    most = {"$lt": ["$$n", MAX_NUMBER]} if high is None else {"$lte": ["$$n", high]}
    is_usable = [{"$isNumber": "$$n"}, least, most, {"$not": {"$in": ["$$n", [*NO_LIMIT, Int64(MAX_INTEGER)]]}}]
    usable = {"$cond": [{"$and": is_usable}, "$$n", LOST]}
    if query.missing_values:
        usable = {"$cond": [{"$in": ["$$n", list(query.missing_values)]}, None, usable]}
    text = {"$convert": {"input": value, "to": "double", "onError": "text", "onNull": None}}
    number = {"$cond": [{"$eq": [{"$type": value}, "string"]}, text, value]}
    is_there = {"$gt": [value, None]}
    return {"$cond": [is_there, {"$let": {"vars": {"n": {"$cond": [{"$isNumber": value}, value, number]}}, "in": usable}}, None]}


def counts_pipeline(query: Query, among: Filter, columns: Sequence[str]) -> Pipeline:
    """One document: for each column how many values are there, `there0`, and how many of them are of no use, `lost0`."""
    values = {f"v{place}": clean(query, name, f"${checked(name)}") for place, name in enumerate(columns)}
    there = {f"there{place}": _count({"$ne": [f"$v{place}", None]}) for place in range(len(columns))}
    lost = {f"lost{place}": _count({"$eq": [f"$v{place}", LOST]}) for place in range(len(columns))}
    return [{"$match": samples_of(query, among)}, {"$project": values}, {"$group": {"_id": None, **there, **lost}}]


def lost_pipeline(query: Query, among: Filter, name: str, limit: int) -> Pipeline:
    """The samples whose value of a field is there and of no use: `at`, and the value as it is stored."""
    value = f"${checked(name)}"
    return [
        {"$match": samples_of(query, among)},
        {"$project": {"_id": 0, "at": f"${query.time_field}", "value": value, "clean": clean(query, name, value)}},
        {"$match": {"clean": {"$eq": LOST}}},
        {"$sort": {"at": 1}},
        {"$limit": limit},
    ]


def shared_pipeline(query: Query, among: Filter, columns: Sequence[str]) -> Pipeline:
    """The timestamps at which documents have different numbers in one of the columns, as `_id`, in order."""
    values = {f"v{place}": clean(query, name, f"${checked(name)}") for place, name in enumerate(columns)}
    numbers = {value: {"$cond": [{"$isNumber": f"${value}"}, f"${value}", None]} for value in values}
    ends = {f"{end}{value}": {f"${end}": numbers[value]} for value in values for end in ("min", "max")}
    return [
        {"$match": samples_of(query, among)},
        {"$project": {"_id": 0, "at": f"${query.time_field}", **values}},
        {"$group": {"_id": "$at", **ends}},
        {"$match": {"$expr": {"$or": [{"$ne": [f"$min{value}", f"$max{value}"]} for value in values]}}},
        {"$project": {"_id": 1}},
        {"$sort": {"_id": 1}},
    ]


def _count(condition: Document) -> Filter:
    return {"$sum": {"$cond": [condition, 1, 0]}}


def _number_of(query: Query, value: str) -> object:
    """What an accumulator is given: `$max` would take `LOST` for more than any number, all others leave it out."""
    return {"$cond": [{"$isNumber": value}, value, None]} if query.aggregation is Aggregation.MAX else value


def _last_of_each_moment(query: Query, columns: Sequence[str]) -> Pipeline:
    """The last as the server reads them: in the order of insertion, with an index and without one.

    Of each field by itself: a document of another kind, in which it is absent, null or NaN, takes nothing away.
    """
    fields = {f"r{place}": f"${checked(name)}" for place, name in enumerate(columns)}
    values = {own: {"$push": {"$cond": [{"$gt": [field, nan]}, field, "$$REMOVE"]}} for own, field in fields.items()}
    lasts = {own: {"$arrayElemAt": [f"${own}", -1]} for own in fields}
    return [{"$group": {"_id": f"${query.time_field}", "rows": {"$sum": 1}, **values}}, {"$set": lasts}]
