"""One queue's samples as whole steps: by the server, or, when it refuses, read one by one and resampled here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf, isnan, nan
from typing import cast

import numpy as np
import pandas as pd
from bson import Decimal128
from pymongo.errors import OperationFailure

from shared.domain.losses import Loss
from shared.drivers.mongo import Document, Documents
from shared.errors import UnreadableData
from worker.sources._resampling import last_of_each_moment, resample
from worker.sources.base import MAX_SAMPLES, Query
from worker.sources.mongo.fields import number, usable, value_at
from worker.sources.mongo.pipeline import Filter, projected, samples_of, steps_pipeline

# Codes by which a server says that it will not, though it can give the rows: an operator that it does not know (in an expression,
# in a group), arrays that outgrow a stage's memory or a document, as those of a median may, and a time zone younger than it.
REFUSALS = frozenset({168, 15952, 146, 10334, 13548, 40485})
RAW_NOTE = "the server could not resample, so every document was read; that is slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Of one column the values that are there and of no use, with their times, and how many values there are."""

    values: Sequence[tuple[datetime, object]]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Whole steps of one queue, and the count of documents behind them.

    frame: as of a Reading. moments: distinct timestamps; usable: how many of them have a number in the target, or in any column
        when there is no target; newest_at: the last of these; lost: how many have a value that is there and of
        no use; left_out: these values by column, where they were met one by one.
    losses, notes, advice: as of a Reading, of how the documents were read.
    """

    frame: pd.DataFrame
    rows: int
    moments: int
    usable: int
    newest_at: datetime | None = None
    lost: int = 0
    left_out: Mapping[str, LeftOut] | None = None
    losses: tuple[Loss, ...] = ()
    notes: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


def read_steps(documents: Documents, query: Query, among: Filter, columns: Sequence[str]) -> Steps:
    """By the server if it can: at once, again with the last of each timestamp when some came twice, else one by one."""
    if query.holds:
        return read_raw(documents, query, among, columns)
    for has_repeats in (False, True):
        pipeline = steps_pipeline(query, samples_of(query, among), columns, has_repeats=has_repeats)
        try:
            grouped = list(documents.aggregate(pipeline, allowDiskUse=True))
        except OperationFailure as error:
            if error.code not in REFUSALS:
                raise
            continue  # to a way that asks less of the server
        steps = steps_from_server({step["_id"]: step for step in grouped}, columns, query)
        if has_repeats or steps.moments == steps.rows:
            return steps
    return replace(read_raw(documents, query, among, columns), notes=(RAW_NOTE,))


def read_raw(documents: Documents, query: Query, among: Filter, columns: Sequence[str]) -> Steps:
    """Every document, resampled by pandas: the way out, and the oracle of the other."""
    projection = {"_id": 0, **projected([query.time_field, *columns])}
    times: list[datetime] = []
    values: list[list[object]] = []
    for document in documents.find(samples_of(replace(query, start=query.known_from), among), projection):
        times.append(cast("datetime", value_at(document, query.time_field)))
        values.append([value_at(document, name) for name in columns])
        if len(times) > MAX_SAMPLES:
            raise UnreadableData(f"found more than the accepted {MAX_SAMPLES:,} documents in the history", queue=query.queue)
    return steps_of(query, columns, times, values)


def steps_of(query: Query, columns: Sequence[str], times: Sequence[datetime], values: Sequence[Sequence[object]]) -> Steps:
    """Whole steps of documents that were read one by one, given by their times and the values of their fields."""
    numbers = [[usable(query, name, value) for name, value in zip(columns, row, strict=True)] for row in values]
    left_out = {}
    for place, name in enumerate(columns):
        inside = [(at, own[place], row[place]) for at, own, row in zip(times, numbers, values, strict=True) if at >= query.start]
        lost = [(at, value) for at, own, value in inside if own is None]
        left_out[name] = LeftOut(values=lost, total=sum(value is not None for _, _, value in inside))
    pairs = (zip(own, row, strict=True) for own, row in zip(numbers, values, strict=True))
    cells = [[_cell(number_, value) for number_, value in row] for row in pairs]
    unique = last_of_each_moment(_frame(times, cells, columns).sort_index(kind="stable")).replace(inf, nan)
    frame = resample(unique, start=query.start, end=query.end, grid=query.grid, aggregation=query.aggregation)
    within = unique[unique.index >= pd.Timestamp(query.start)]
    known = within.index[within[query.judged(columns)].notna().any(axis=1)]
    return Steps(
        frame=frame,
        rows=sum(at >= query.start for at in times),
        moments=len(within),
        usable=len(known),
        newest_at=known[-1].to_pydatetime() if len(known) else None,
        lost=sum(len(own.values) for own in left_out.values()),
        left_out=left_out,
    )


def _cell(own: float | None, value: object) -> float:
    """A number; infinity for what is there and none, as it takes the place of an earlier one; NaN for nothing, which does not."""
    plain = float(value.to_decimal()) if isinstance(value, Decimal128) else value
    is_nothing = plain is None or (isinstance(plain, float) and isnan(plain))
    return nan if is_nothing else inf if own is None or isnan(own) else own


def steps_from_server(by_step: Mapping[object, Document], columns: Sequence[str], query: Query) -> Steps:
    """Whole steps as a pipeline has given them, each by what it is called there."""
    grid, start, steps = query.grid, query.start, by_step.values()
    days = [grid.step_start(start, int(cast("float", step)) + 1) for step in by_step] if grid.zone else []
    times = days or [cast("datetime", step) for step in by_step]
    cells = [[number(step[f"v{place}"]) for place in range(len(columns))] for step in steps]
    frame = _frame(times, cells, columns).dropna(how="all")
    rows, moments, usable = (sum(step[name] for step in steps) for name in ("rows", "moments", "usable"))
    newest_at = max((step["newest"] for step in steps if step["newest"]), default=None)
    lost = sum(step["lost"] for step in steps)
    return Steps(frame=frame, rows=rows, moments=moments, usable=usable, newest_at=newest_at, lost=lost)


def _frame(times: Sequence[datetime], cells: Sequence[Sequence[float]], columns: Sequence[str]) -> pd.DataFrame:
    values = np.array(cells, dtype=np.float64).reshape(len(cells), len(columns))
    return pd.DataFrame(values, index=pd.DatetimeIndex(pd.to_datetime(list(times), utc=True)), columns=list(columns))
