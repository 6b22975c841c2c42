"""A dimension that nobody asked for: rows of one queue that share timestamps and differ in another column and in their numbers.

Which of them were kept, or that they were averaged, would be nobody's decision: every source refuses it in the same words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from shared.domain.identifiers import listed
from shared.domain.losses import MAX_SHARE
from shared.domain.timegrid import MINUTE
from shared.errors import UnreadableData
from worker.sources.base import Query

MIN_SHARE = 0.01  # of all timestamps: a few rows that came again with another text beside them are repeats, and counted as such
FEW = 2  # timestamps that came again with another number: somebody mended them
MAX_VALUES = 3  # that a message names


def is_unasked(shared: int, every: int, *, is_newest: bool) -> bool:
    """Whether timestamps at which rows of the queue differ are more than a few repeats among all of them, or the newest."""
    return shared > 0 and (shared >= MIN_SHARE * every or is_newest)


def are_many(shared: int, every: int) -> bool:
    """Whether so many timestamps have several numbers that nobody can have mended them one by one."""
    return shared > max(FEW, MAX_SHARE * every)


def unasked(
    query: Query, column: str, values: Sequence[str], first_at: datetime, *, shared: str = "timestamps", may_name: bool = True
) -> UnreadableData:
    """What to say of the column in which rows of the queue differ.

    Args:
        values: some of those that it has, at least one; "" = nothing.
        first_at: the first of what such rows share.
        may_name: whether the source can make queues of this column.
    """
    shown = listed([value or "nothing" for value in values], MAX_VALUES)
    found = f"its rows share {shared}, first {first_at:{MINUTE}}, and differ in {column!r} ({shown}) and in their numbers"
    if column in query.queue_fields:
        return UnreadableData(
            f"{found}: several values of `queue_field` make up this name; keep one with `where`", queue=query.queue
        )
    where = json.dumps({column: next(filter(None, reversed(values)), "")}, ensure_ascii=False)
    fields = json.dumps([*query.queue_fields, column], ensure_ascii=False)
    or_each = f"make each a queue with `queue_field`: {fields}" if may_name else "write it as a tag, of which queues can be made"
    ways = f"keep one with `where`: {where}, or {or_each}"
    return UnreadableData(f"{found}; {ways}", queue=query.queue)


def nothing_tells(query: Query, moments: int) -> UnreadableData:
    """What to say when many rows share timestamps and nothing but their numbers differs."""
    found = f"its rows share {moments:,} timestamps and differ in their numbers"
    return UnreadableData(f"{found}, and no column tells them apart; keep one row of each timestamp", queue=query.queue)
