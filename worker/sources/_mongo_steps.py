"""One queue's samples as whole steps: by the server, or, when it refuses, read one by one and resampled here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pymongo.errors import OperationFailure

from shared.drivers.mongo import Document, Documents
from shared.errors import UnreadableData
from worker.sources._mongo_fields import number, value_at
from worker.sources._mongo_pipeline import Filter, samples_of, steps_pipeline
from worker.sources._resampling import resample
from worker.sources.base import MAX_SAMPLES, Query

# Codes by which a server says that it will not, though it can give the rows: an operator that it does not know (in an expression,
# in a group), and arrays that outgrow a stage's memory or a document, as those of a median may.
REFUSALS = frozenset({168, 15952, 146, 10334, 13548})
RAW_NOTE = "the server could not resample, so every document was read; that is slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Whole steps of one queue, and the count of documents behind them.

    frame: as of a Reading. moments: distinct timestamps; usable: how many of them have a number in the target, or in any column
        when there is no target. notes: how they were read, when that is unusual.
    """

    frame: pd.DataFrame
    rows: int
    moments: int
    usable: int
    notes: tuple[str, ...] = ()


def read_steps(documents: Documents, query: Query, among: Filter, columns: Sequence[str]) -> Steps:
    """By the server if it can: at once, again with the last of each timestamp when some came twice, else one by one."""
    for has_repeats in (False, True):
        pipeline = steps_pipeline(query, among, columns, has_repeats=has_repeats)
        try:
            grouped = list(documents.aggregate(pipeline, allowDiskUse=True))
        except OperationFailure as error:
            if error.code not in REFUSALS:
                raise
            continue  # to a way that asks less of the server
        steps = _from_server(grouped, columns)
        if has_repeats or steps.moments == steps.rows:
            return steps
    return read_raw(documents, query, among, columns)


def read_raw(documents: Documents, query: Query, among: Filter, columns: Sequence[str]) -> Steps:
    """Every document, resampled by pandas: the way out, and the oracle of the other."""
    projection = {"_id": 0, query.time_field: 1, **dict.fromkeys(columns, 1)}
    times: list[object] = []
    cells: list[list[float]] = []
    for document in documents.find(samples_of(query, among), projection):
        times.append(value_at(document, query.time_field))
        cells.append([number(value_at(document, name)) for name in columns])
        if len(times) > MAX_SAMPLES:
            raise UnreadableData(f"found more than the accepted {MAX_SAMPLES:,} documents in the history", queue=query.queue)
    samples = _frame(times, cells, columns).sort_index(kind="stable")
    unique = samples[~samples.index.duplicated(keep="last")]
    judged = unique[query.judged(columns)]
    frame = resample(unique, start=query.start, end=query.end, step_seconds=query.step_seconds, aggregation=query.aggregation)
    usable = int(judged.notna().any(axis=1).sum())
    return Steps(frame=frame, rows=len(samples), moments=len(unique), usable=usable, notes=(RAW_NOTE,))


def _from_server(steps: Sequence[Document], columns: Sequence[str]) -> Steps:
    cells = [[number(step[f"v{place}"]) for place in range(len(columns))] for step in steps]
    frame = _frame([step["_id"] for step in steps], cells, columns).dropna(how="all")
    rows, moments, usable = (sum(step[name] for step in steps) for name in ("rows", "moments", "usable"))
    return Steps(frame=frame, rows=rows, moments=moments, usable=usable)


def _frame(times: Sequence[Any], cells: Sequence[Sequence[float]], columns: Sequence[str]) -> pd.DataFrame:
    values = np.array(cells, dtype=np.float64).reshape(len(cells), len(columns))
    return pd.DataFrame(values, index=pd.DatetimeIndex(pd.to_datetime(list(times), utc=True)), columns=list(columns))
