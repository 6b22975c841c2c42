"""What MongoDB is asked, as pure data: a filter, and the pipeline that turns samples into whole steps in the server.

No operator, filter or pipeline ever comes from a request: names are plain names, values are compared by `$eq`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from bson import ObjectId

from shared.errors import InvalidRequest
from shared.jobs import Aggregation
from shared.names import is_column
from worker.sources.base import Query

Filter = dict[str, Any]
Pipeline = list[dict[str, Any]]

ACCUMULATORS = {Aggregation.MEAN: "$avg", Aggregation.MIN: "$min", Aggregation.MAX: "$max", Aggregation.MEDIAN: "$push"}
LONGEST_NUMBER = 18  # digits: what fits into 64 bits


def checked(name: str) -> str:
    """The name of a field, as it is; raises InvalidRequest for what might be an operator or a variable such as `$ROOT`."""
    if not is_column(name):
        raise InvalidRequest(f"found the field {name[:40]!r}; accepted are letters, digits, _ and inner dots")
    return name


def queue_text(value: object) -> str | None:
    """A queue's name as text, whatever type the collection gives it; None = no name: null, an array, a document, empty.

    Numbers that are whole have no point, as mongosh stores each 7 as 7.0.
    """
    match value:
        case bool():
            return None
        case float() if value.is_integer():
            return str(int(value))
        case str() | int() | float() | ObjectId():
            return str(value) or None
        case _:
            return None


def queue_filter(name: str) -> Filter:
    """Matches every value whose `queue_text` is `name`, through an index; MongoDB holds 7 and 7.0 for equal."""
    values: list[object] = [name]
    if name.removeprefix("-").isdecimal() and len(name) <= LONGEST_NUMBER:
        values.append(int(name))
    elif _is_float(name):
        values.append(float(name))
    elif ObjectId.is_valid(name):
        values.append(ObjectId(name))
    return {"$eq": name} if len(values) == 1 else {"$in": values}


def documents_of(query: Query, document_field: str) -> Filter:
    """All documents of the query's queue ("" = of all queues) at any time."""
    found: Filter = {}
    if query.place.document is not None:
        found[checked(document_field)] = {"$eq": query.place.document}
    if query.queue:
        found[checked(query.queue_field)] = queue_filter(query.queue)
    return found


def samples_of(query: Query, document_field: str) -> Filter:
    """Those with a date in [start, end). A text or number as timestamp is never in a range of dates."""
    inside = {"$type": "date", "$gte": query.start, "$lt": query.end}
    return {**documents_of(query, document_field), checked(query.time_field): inside}


def steps_pipeline(query: Query, document_field: str, columns: Sequence[str], *, has_repeats: bool) -> Pipeline:
    """One document per bucket: `_id` its start, `rows`, `moments` (distinct timestamps), `usable`, and `v0`, `v1` … of `columns`.

    Buckets are those of shared/buckets.py: by the epoch, never `$dateTrunc`, which has other borders.

    Args:
        columns: the target first, if there is one; `usable` counts rows with a number in it, else in any of them.
        has_repeats: keep the last row of each timestamp, for a third of the time more. Without it, rows count that came twice.
    """
    values = {f"v{number}": _clean(name) for number, name in enumerate(columns)}
    judged = ["$v0"] if query.target else [f"${name}" for name in values]
    usable = {"$sum": {"$cond": [{"$or": [{"$isNumber": value} for value in judged]}, 1, 0]}}
    results = {name: {ACCUMULATORS[query.aggregation]: f"${name}"} for name in values}
    counts = {"rows": {"$sum": "$rows"}, "moments": {"$sum": 1}} if has_repeats else {"rows": {"$sum": 1}, "moments": {"$addToSet": "$at"}}
    bucket = _bucket("$at", query.step_seconds * 1_000)
    return [
        {"$match": samples_of(query, document_field)},
        *(_last_of_each_moment(query, columns) if has_repeats else ()),
        {"$project": {"_id": 0, "at": "$_id" if has_repeats else f"${query.time_field}", "rows": 1, **values}},
        {"$group": {"_id": bucket, **counts, "usable": usable, **results}},
        *([] if has_repeats else [{"$set": {"moments": {"$size": "$moments"}}}]),
        *(_medians(list(values)) if query.aggregation is Aggregation.MEDIAN else ()),
        {"$sort": {"_id": 1}},
    ]
