"""What MongoDB is asked, as pure data: filters, and the pipeline that turns samples into whole steps in the server.

No operator, filter or pipeline comes from a request: names are plain names, and values are compared by `$eq` or `$in`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import isfinite

from bson import ObjectId
from bson.errors import InvalidId

from shared.domain.identifiers import is_column
from shared.domain.places import Place
from shared.domain.samples import Aggregation
from shared.drivers.mongo import Document
from shared.errors import InvalidRequest
from worker.sources._numbers import MAX_NUMBER
from worker.sources.base import Query

Filter = Document
Pipeline = list[Document]

ACCUMULATORS = {Aggregation.MEAN: "$avg", Aggregation.MEDIAN: "$push", Aggregation.MIN: "$min", Aggregation.MAX: "$max"}
MAX_INTEGER = 2**63 - 1


def queue_text(value: object) -> str | None:
    """A queue's name as text, whatever type the collection gives it; None = no name: null, an array, a document, empty.

    A whole number has no point, as mongosh stores every 7 as 7.0.
    """
    match value:
        case bool():
            return None
        case float():
            return f"{value:.0f}" if value.is_integer() else str(value) if isfinite(value) else None
        case str() | int() | ObjectId():
            return str(value) or None
        case _:
            return None


def queue_filter(name: str) -> Filter:
    """Matches every value whose `queue_text` is `name`, through an index; for MongoDB 7 and 7.0 are equal."""
    if not isinstance(name, str):
        raise InvalidRequest(f"found a queue of type {type(name).__name__}; accepted is a text", field="queues")
    makers: tuple[Callable[[str], object], ...] = (_integer, float, ObjectId)
    others = []
    for make in makers:
        with suppress(ValueError, InvalidId):
            others += [value for value in (make(name),) if queue_text(value) == name]
    return {"$in": [name, *others]} if others else {"$eq": name}


def documents_at(place: Place, document_field: str) -> Filter:
    """What every document of the place has: its discriminator, when the place names a `document`."""
    return {} if place.document is None else {checked(document_field): {"$eq": str(place.document)}}


def samples_of(query: Query, among: Filter) -> Filter:
    """The queue's documents with a date in [start, end). A text or number is never in a range of dates.

    Args:
        among: the filter of `documents_at`.
    """
    inside = {"$type": "date", "$gte": query.start, "$lt": query.end}
    return {**documents_of(query, among), checked(query.time_field): inside}


def documents_of(query: Query, among: Filter) -> Filter:
    """The queue's documents ("" = those of every queue), whatever their time."""
    return {**among, checked(query.queue_field): queue_filter(query.queue)} if query.queue else among


def steps_pipeline(query: Query, among: Filter, columns: Sequence[str], *, has_repeats: bool) -> Pipeline:
    """One document per bucket: `_id` its start, `rows`, `moments` (distinct timestamps), `usable`, and `v0`, `v1` … of `columns`.

    Buckets are those of shared/domain/timegrid.py: by the epoch, never by `$dateTrunc`, whose borders are others.

    Args:
        columns: the target first, if there is one: `usable` counts the rows with a number in it, else in any of them.
        has_repeats: let the last row of each timestamp win, which takes half as long again. Without it, every row counts, and
            fewer `moments` than `rows` say that some came twice; telling them costs nothing measurable.
    """
    moment = "$_id" if has_repeats else f"${checked(query.time_field)}"
    values = {f"v{number}": _clean(f"$r{number}" if has_repeats else f"${checked(name)}") for number, name in enumerate(columns)}
    judged = ["$v0"] if query.target is not None else [f"${value}" for value in values]
    counts = {
        "rows": {"$sum": "$rows" if has_repeats else 1},
        "moments": {"$sum": 1} if has_repeats else {"$addToSet": "$at"},
        "usable": {"$sum": {"$cond": [{"$or": [{"$isNumber": value} for value in judged]}, 1, 0]}},
    }
    results = {value: {ACCUMULATORS[query.aggregation]: f"${value}"} for value in values}
    return [
        {"$match": samples_of(query, among)},
        *([_last_of_each_moment(query, columns)] if has_repeats else []),
        {"$project": {"_id": 0, "at": moment, "rows": 1, **values}},
        {"$group": {"_id": _bucket("$at", query.step_seconds * 1_000), **counts, **results}},
        *([] if has_repeats else [{"$set": {"moments": {"$size": "$moments"}}}]),
        *(_medians(list(values)) if query.aggregation is Aggregation.MEDIAN else []),
        {"$sort": {"_id": 1}},
    ]


def checked(name: str) -> str:
    """The name of a field, as it is; raises InvalidRequest for an operator, or a variable such as `$ROOT`."""
    if not (isinstance(name, str) and is_column(name)):
        raise InvalidRequest(f"found the field {str(name)[:40]!r}; accepted are letters, digits, _ and inner dots")
    return name


def _bucket(moment: str, period_ms: int) -> Filter:
    milliseconds = {"$toLong": moment}
    return {"$toDate": {"$subtract": [milliseconds, {"$mod": [milliseconds, period_ms]}]}}


def _clean(value: str) -> Filter:
    """The number, or null for text, NaN (less than any number), infinity and what is absurdly large; all three would poison."""
    is_usable = [{"$isNumber": value}, {"$gt": [value, -MAX_NUMBER]}, {"$lt": [value, MAX_NUMBER]}]
    return {"$cond": [{"$and": is_usable}, value, None]}


def _last_of_each_moment(query: Query, columns: Sequence[str]) -> Filter:
    """The last as the server reads them: in the order of insertion, with an index and without one."""
    lasts = {f"r{number}": {"$last": f"${checked(name)}"} for number, name in enumerate(columns)}
    return {"$group": {"_id": f"${query.time_field}", "rows": {"$sum": 1}, **lasts}}


def _medians(values: Sequence[str]) -> Pipeline:
    """The exact median of each collected array. `$median` is approximate, and there from MongoDB 7.0 on only."""
    numbers = {value: {"$filter": {"input": f"${value}", "cond": {"$isNumber": "$$this"}}} for value in values}
    ordered = {value: {"$sortArray": {"input": filtered, "sortBy": 1}} for value, filtered in numbers.items()}
    return [{"$set": ordered}, {"$set": {value: _middle(f"${value}") for value in values}}]


def _middle(ordered: str) -> Filter:
    """The mean of the two numbers in the middle, which are one and the same when their count is odd; null when there is none."""
    low = {"$floor": {"$divide": [{"$subtract": ["$$n", 1]}, 2]}}
    middle = [{"$arrayElemAt": [ordered, index]} for index in (low, {"$floor": {"$divide": ["$$n", 2]}})]
    return {"$let": {"vars": {"n": {"$size": ordered}}, "in": {"$cond": [{"$eq": ["$$n", 0]}, None, {"$avg": middle}]}}}


def _integer(text: str) -> int:
    number = int(text)
    if abs(number) > MAX_INTEGER:
        raise ValueError(text)
    return number
