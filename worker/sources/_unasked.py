"""A dimension that nobody asked for: rows of one queue that share timestamps and differ in another column and in their numbers.

Which of them were kept, or that they were averaged, would be nobody's decision: every source refuses it in the same words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from shared.domain.identifiers import listed
from shared.errors import UnreadableData
from worker.sources.base import Query

MIN_SHARE = 0.01  # of all timestamps: a few rows that came again with another text beside them are repeats, and counted as such
MAX_VALUES = 3  # that a message names


def unasked(query: Query, column: str, values: Sequence[str], moments: int) -> UnreadableData:
    """What to say of the column in which rows of the queue differ.

    Args:
        values: some of those that it has, at least one.
        moments: how many timestamps have several rows that differ in it.
    """
    where = json.dumps({column: values[-1]}, ensure_ascii=False)
    fields = json.dumps([*query.queue_fields, column], ensure_ascii=False)
    return UnreadableData(
        f"its rows share {moments:,} timestamps and differ in {column!r} ({listed(values, MAX_VALUES)}) and in their numbers;"
        f" keep one with `where`: {where}, or make each a queue with `queue_field`: {fields}",
        queue=query.queue,
    )
