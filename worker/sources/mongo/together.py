"""Queues of a collection without an index on queue and time, read by a few passes over it for all of them.

    alone       pass for its fields, pass for times, pass for steps, pass for …      of all documents, for each queue
    together    the same passes, grouped in the server by queue                      of all documents, for a few hundred of them

Only what is usual is told of here: dates, finite numbers, none of them twice. A queue with anything else is left to be read by
itself, so that there is one way of dealing with it. What is told of a queue is what it is by itself, but for the last bits of
means: the server adds up in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby

from bson import ObjectId
from pymongo.errors import ExecutionTimeout, NetworkTimeout, OperationFailure

from shared.drivers.mongo import Document, Documents
from shared.errors import UnreadableData
from worker.sources._names import joined, splits
from worker.sources.base import Query
from worker.sources.mongo.fields import Kinds, kinds_of
from worker.sources.mongo.names import queue_text, stored_forms
from worker.sources.mongo.pipeline import Filter, Pipeline, checked, documents_of, inside, steps_pipeline
from worker.sources.mongo.reasons import SAMPLED
from worker.sources.mongo.steps import REFUSALS, Steps, steps_from_server
from worker.sources.mongo.unasked import LOOKED_AT_IN_TURN, refuse_turns_among

ROWS_AT_A_TIME, QUEUES_AT_A_TIME = 1_000, 10  # of an answer, which would come by 16 MB, and take ten times as much here
KNOWN_FROM = (5, 2)  # the version of MongoDB that knows `$firstN` and `$topN`
Columns = Callable[[Query, Kinds], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """One queue of which all is as it should be: its fields as a few documents have them, and the steps of its columns."""

    kinds: Kinds
    columns: Sequence[str]
    steps: Steps


class Unusual(Exception):  # noqa: N818 - nothing is wrong, each queue is read by itself
    """Names or values that only a look at each queue tells of."""


def can_group(documents: Documents) -> bool:
    """Whether the server knows how."""
    return tuple(documents.database.client.server_info()["versionArray"][:2]) >= KNOWN_FROM


def usual_queues(
    documents: Documents, query: Query, among: Filter, names: Sequence[str], columns_of: Columns
) -> dict[str, Usual | UnreadableData]:
    """What is known of those of the queues that are as they should be, or why they cannot be read; others are not in it.

    Args:
        columns_of: the columns to read, as the fields have them.
    """
    try:
        return dict(_usual_queues(documents, replace(query, queue=""), among, names, columns_of))
    except (Unusual, ExecutionTimeout, NetworkTimeout):
        return {}
    except OperationFailure as error:
        if error.code not in REFUSALS:
            raise
        return {}


def _usual_queues(
    documents: Documents, query: Query, among: Filter, names: Sequence[str], columns_of: Columns
) -> Iterator[tuple[str, Usual | UnreadableData]]:
    kinds = dict(_kinds_of_all(documents, query, among, names))
    columns = dict(_columns(query, kinds, columns_of))
    wanted = list(columns)
    asked = list(dict.fromkeys(column for own in columns.values() for column in own))
    left_out = set(_with_odd_times(documents, query, among, wanted))
    found = dict[str, Usual]()
    pipeline = steps_pipeline(query, _samples(query, among, wanted), asked, by=_key(query))
    for name, rows in _grouped(documents, pipeline, wanted, ROWS_AT_A_TIME):
        steps = steps_from_server({row["_id"]["at"]: row for row in rows}, asked, query)
        if name not in left_out and _is_usual(steps, query, columns[name], asked):
            frame = steps.frame[list(columns[name])].dropna(how="all")
            found[name] = Usual(kinds=kinds[name], columns=columns[name], steps=replace(steps, frame=frame))
    finer = [name for name, own in found.items() if query.target and own.steps.moments > len(own.steps.frame)]
    refused = dict(_refused(documents, query, among, finer))
    yield from (found | refused).items()


def _is_usual(steps: Steps, query: Query, columns: Sequence[str], asked: Sequence[str]) -> bool:
    """Whether all of it counts. Where there is no target every column tells what is usable, so all must be the queue's own."""
    has_all = all(steps.frame[name].notna().any() for name in query.required)
    is_own = query.target is not None or list(columns) == list(asked)
    return bool(steps.usable and has_all and is_own and not steps.lost and steps.moments == steps.rows)


def _kinds_of_all(documents: Documents, query: Query, among: Filter, names: Sequence[str]) -> Iterator[tuple[str, Kinds]]:
    """The fields of each queue; of one whose name is stored in two ways nothing is told."""
    first = {"$firstN": {"n": SAMPLED, "input": "$$ROOT"}}
    pipeline: Pipeline = [
        {"$match": _samples(query, among, names)},
        {"$group": {"_id": {"q": _key(query)}, "first": first}},
    ]
    found: dict[str, list[Kinds]] = {}
    for name, [row] in _grouped(documents, pipeline, names):
        found.setdefault(name, []).append(kinds_of(row["first"]))
    yield from ((name, own[0]) for name, own in found.items() if len(own) == 1)


def _columns(query: Query, kinds: Mapping[str, Kinds], columns_of: Columns) -> Iterator[tuple[str, Sequence[str]]]:
    """What to read of each queue that stores its numbers as such."""
    for name, own in kinds.items():
        if query.target in own and own[query.target]["text"]:
            continue
        with suppress(UnreadableData):
            if columns := columns_of(query, own):
                yield name, columns


def _with_odd_times(documents: Documents, query: Query, among: Filter, names: Sequence[str]) -> Iterator[str]:
    """Those with a document whose time is no date: text, a number, an array, or nothing."""
    time = checked(query.time_field)
    odd = {"$or": [{time: {"$not": {"$type": "date"}}}, {time: {"$type": "array"}}]}
    pipeline: Pipeline = [{"$match": {"$and": [_of_all(query, among, names), odd]}}, {"$group": {"_id": {"q": _key(query)}}}]
    for name, _ in _grouped(documents, pipeline, names):
        yield name


def _refused(documents: Documents, query: Query, among: Filter, names: Sequence[str]) -> Iterator[tuple[str, UnreadableData]]:
    """Those whose documents lie seconds apart and are of several things in turn."""
    if not names:
        return
    kept = {"$and": [_samples(query, among, names), {checked(str(query.target)): {"$type": ["number", "string"]}}]}
    newest = {"$topN": {"n": LOOKED_AT_IN_TURN, "sortBy": {checked(query.time_field): -1}, "output": "$$ROOT"}}
    pipeline: Pipeline = [{"$match": kept}, {"$group": {"_id": {"q": _key(query)}, "newest": newest}}]
    for name, [row] in _grouped(documents, pipeline, names):
        try:
            refuse_turns_among(row["newest"], replace(query, queue=name))
        except UnreadableData as error:
            yield name, error


def _grouped(
    documents: Documents, pipeline: Pipeline, names: Sequence[str], at_a_time: int = QUEUES_AT_A_TIME
) -> Iterator[tuple[str, list[Document]]]:
    """The rows of each of the queues; raises Unusual where something else than a name is stored as one."""
    wanted = set(names)
    if not wanted:
        return
    for key, rows in groupby(documents.aggregate(pipeline, allowDiskUse=True, batchSize=at_a_time), lambda row: row["_id"]["q"]):
        name = joined([queue_text(_plain(part)) for part in key.values()])
        if name in wanted:  # parts of several names may make up another one
            yield name, list(rows)


def _plain(part: object) -> object:
    if part is not None and (isinstance(part, bool) or not isinstance(part, str | int | float | ObjectId)):
        raise Unusual
    return part


def _samples(query: Query, among: Filter, names: Sequence[str]) -> Filter:
    return {"$and": [_of_all(query, among, names), {checked(query.time_field): inside(query)}]}


def _of_all(query: Query, among: Filter, names: Sequence[str]) -> Filter:
    """The documents of all these queues; where several fields make up a name, of some others, too."""
    forms = [dict[object, None]() for _ in query.queue_fields]
    for name in names:
        for parts in splits(name, len(forms)) if len(forms) > 1 else [(name,)]:
            for own, part in zip(forms, parts, strict=True):
                own.update(dict.fromkeys(stored_forms(part) if part else [None, ""]))
    some = [{checked(field): {"$in": list(own)}} for field, own in zip(query.queue_fields, forms, strict=True)]
    return {"$and": [documents_of(query, among), *some]}


def _key(query: Query) -> Document:
    """What tells the queue of a document, whose parts keep their order where one is missing."""
    return {f"p{place}": {"$ifNull": [f"${checked(name)}", None]} for place, name in enumerate(query.queue_fields)}
