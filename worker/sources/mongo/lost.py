"""Values of a collection that are there and of no use: which they are, and whether that is a loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from math import isnan

from bson import Decimal128, ObjectId

from shared.domain.losses import Loss
from shared.drivers.mongo import Documents
from worker.sources._decimals import points_in_doubt
from worker.sources._lost import (
    BROKEN,
    MAX_EXAMPLE,
    MAX_LOST,
    OUTSIDE,
    SWITCHES,
    TEXTS,
    TIMES,
    by_end,
    is_null_word,
    lost_cells,
    outside_range,
)
from worker.sources._numbers import MAX_NUMBER
from worker.sources._times import ACCEPTED_TIMES
from worker.sources.base import NO_LIMIT, Query
from worker.sources.mongo.fields import value_at
from worker.sources.mongo.pipeline import Filter, checked, counts_pipeline, lost_pipeline, projected, samples_of, timeless_of
from worker.sources.mongo.steps import LeftOut, Steps

ARRAYS = "arrays instead of a number"
Cell = tuple[datetime, str]


def losses_of(documents: Documents, query: Query, among: Filter, columns: Sequence[str], steps: Steps) -> Iterator[Loss]:
    """What was lost of the columns; costs nothing where every value is a number."""
    if not steps.lost:
        return
    left_out = steps.left_out if steps.left_out is not None else dict(_left_out(documents, query, among, columns))
    for name, own in left_out.items():
        found: dict[str, list[Cell]] = {}
        for at, value in own.values:
            if (what := _kind(value)) is not None:
                found.setdefault(what, []).append((at, _written(value)))
        usable = by_end(steps.frame[name], query)
        for what, lost in found.items():
            if what == OUTSIDE:
                yield outside_range(query, lost, usable, total=own.total)
            else:
                yield lost_cells(what, name, lost, usable, total=own.total, advice=_advice(documents, name, what))


def doubts_of(documents: Documents, query: Query, own: Filter) -> Iterator[str]:
    """Why numbers of the target that are stored as texts may mean something else.

    Args:
        own: the filter of the queue's documents in the history.
    """
    import pyarrow as pa

    name = checked(str(query.target))
    texts = documents.find({"$and": [own, {name: {"$type": "string"}}]}, {"_id": 0, name: 1}, limit=MAX_LOST)
    if doubt := points_in_doubt(pa.chunked_array([[str(value_at(row, name)) for row in texts]], pa.string())):
        yield f"{name}: {doubt}; if the point stands between thousands, store numbers instead of texts"


def timeless(documents: Documents, query: Query, among: Filter, columns: Sequence[str], steps: Steps) -> Iterator[Loss]:
    """Documents with a value and without a time, as one loss: null, no such field, an array, true or false."""
    judged = query.judged(columns)
    found = timeless_of(query, among, judged)
    lost = [*documents.find(found, projected([query.time_field]), limit=MAX_LOST)] if judged else []
    if not lost:
        return
    newest = documents.find_one(samples_of(query, among), {"_id": 1}, sort=[(query.time_field, -1)])
    ids = [each["_id"] for each in (*lost, *([newest] if newest else []))]
    are_ordered = all(isinstance(own, ObjectId) for own in ids)
    value = value_at(lost[0], query.time_field)
    yield Loss(
        what=TIMES,
        column=query.time_field,
        count=len(lost),
        total=steps.rows + len(lost),
        example=f"{'nothing' if value is None else str(value)[:MAX_EXAMPLE]} in {ids[0]}",
        advice=f"accepted are {ACCEPTED_TIMES}",
        is_at_end=not newest or (are_ordered and max(ids[:-1]) > ids[-1]),
    )


def _left_out(documents: Documents, query: Query, among: Filter, columns: Sequence[str]) -> Iterator[tuple[str, LeftOut]]:
    for counts in documents.aggregate(counts_pipeline(query, among, columns)):
        for place, name in enumerate(columns):
            if counts[f"lost{place}"]:
                rows = documents.aggregate(lost_pipeline(query, among, name, MAX_LOST), allowDiskUse=True)
                yield name, LeftOut(values=[(row["at"], row["value"]) for row in rows], total=counts[f"there{place}"])


def _kind(value: object) -> str | None:
    """What such a value is, in words; None = it says that there is none."""
    match value:
        case str():
            return None if is_null_word(value) else TEXTS
        case bool():
            return SWITCHES
        case int() | float() | Decimal128():
            plain = float(value.to_decimal()) if isinstance(value, Decimal128) else float(value)
            is_broken = abs(plain) >= MAX_NUMBER or plain in NO_LIMIT
            return None if isnan(plain) else BROKEN if is_broken else OUTSIDE
        case list():
            return ARRAYS
        case _:
            return f"{type(value).__name__} values instead of a number"


def _written(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _advice(documents: Documents, name: str, what: str) -> str:
    if what == ARRAYS:
        unwound = f'db.createView("{documents.name}_flat", "{documents.name}", [{{$unwind: "${name}"}}])'
        return f"accepted is one document per sample, such as a view gives: {unwound}"
    return "accepted are finite numbers, stored as numbers or as texts such as 61.2"
