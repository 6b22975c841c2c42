"""Records that cannot be read, written by hand or by a newer release: a list leaves them out, a single read says so.

The log names each of them once per process: a page that is asked for every second says nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from shared.errors import RecordUnreadable

T = TypeVar("T")

DISORDER = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)  # all that reading a wrong value raises
IDENTITY = ("_id", "token_id", "schedule_id", "job_id", "queue", "metric", "job", "issued_at", "timestamp")
MAX_TOLD = 10_000

log = structlog.get_logger(__name__)
_told: set[str] = set()


def readable(kind: str, rows: Iterable[Any], read: Callable[[Any], T]) -> list[T]:
    """What can be read of the rows, in their order.

    Args:
        kind: what a row is, for the log.
        read: makes the record of a row.
    """
    found = []
    for row in rows:
        try:
            found.append(read(row))
        except DISORDER as error:
            _tell(kind, row, error)
    return found


def read_one(kind: str, row: Any, read: Callable[[Any], T]) -> T:
    """The record of one row; raises RecordUnreadable."""
    try:
        return read(row)
    except DISORDER as error:
        raise RecordUnreadable(kind, **_tell(kind, row, error)) from error


def page(kind: str, fetch: Callable[[int], Sequence[Any]], limit: int, read: Callable[[Any], T]) -> list[T]:
    """The first `limit` records that can be read: a page that is not full means that there are no more.

    Args:
        fetch: gives at most so many rows, always the first ones.
    """
    wanted = limit
    while True:
        rows = fetch(wanted)
        found = readable(kind, rows, read)[:limit]
        if len(found) == limit or len(rows) < wanted:
            return found
        wanted *= 2


def _tell(kind: str, row: Mapping[str, Any], error: Exception) -> dict[str, str]:
    values = dict(row)
    ids = {name.strip("_"): str(values[name])[:100] for name in IDENTITY if name in values}
    if (key := f"{kind} {ids}") not in _told and len(_told) < MAX_TOLD:
        _told.add(key)
        log.error("a record of the store cannot be read", kind=kind, **ids, reason=f"{type(error).__name__}: {error}"[:500])
    return ids
