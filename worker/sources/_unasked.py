"""A dimension that nobody asked for: rows of one queue that share timestamps and differ in another column and in their numbers.

Which of them were kept, or that they were averaged, would be nobody's decision: every source refuses it in the same words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from shared.domain.identifiers import listed
from shared.errors import UnreadableData
from worker.sources.base import MINUTE, Query

MIN_SHARE = 0.01  # of all timestamps: a few rows that came again with another text beside them are repeats, and counted as such
MAX_VALUES = 3  # that a message names


def is_unasked(shared: pd.DatetimeIndex, every: pd.DatetimeIndex) -> bool:
    """Whether timestamps that several rows share are more than a few repeats: many, or the newest among them.

    Args:
        shared: those at which rows of the queue differ in another column and in their numbers.
        every: all timestamps of the queue.
    """
    return len(shared) > 0 and (len(shared) >= MIN_SHARE * len(every) or bool(shared.max() >= every.max()))


def unasked(
    query: Query, column: str, values: Sequence[str], first_at: datetime, *, shared: str = "timestamps"
) -> UnreadableData:
    """What to say of the column in which rows of the queue differ.

    Args:
        values: some of those that it has, at least one; "" = nothing.
        first_at: the first of what such rows share.
    """
    shown = listed([value or "nothing" for value in values], MAX_VALUES)
    found = f"its rows share {shared}, first {first_at:{MINUTE}}, and differ in {column!r} ({shown}) and in their numbers"
    if column in query.queue_fields:
        return UnreadableData(
            f"{found}: several values of `queue_field` make up this name; keep one with `where`", queue=query.queue
        )
    where = json.dumps({column: next(filter(None, reversed(values)), "")}, ensure_ascii=False)
    fields = json.dumps([*query.queue_fields, column], ensure_ascii=False)
    ways = f"keep one with `where`: {where}, or make each a queue with `queue_field`: {fields}"
    return UnreadableData(f"{found}; {ways}", queue=query.queue)
