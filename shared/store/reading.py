"""Records that cannot be read, written by hand or by a newer release: a list leaves them out, a single read says so.

The log names each of them once per process: a page that is asked for every second says nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import structlog

from shared.errors import RecordUnreadable, reason_of
from shared.store.codec import Row, from_row
from shared.store.tables import Table

T = TypeVar("T")

DISORDER = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)  # all that reading a wrong value raises
MAX_TOLD = 10_000

log = structlog.get_logger(__name__)
_told: set[str] = set()


def readable(table: Table[T], rows: Iterable[Row]) -> list[T]:
    """What can be read of the rows, in their order."""
    values = []
    for row in rows:
        try:
            values.append(from_row(table, row))
        except DISORDER as error:
            _tell(table, row, error)
    return values


def read_one(table: Table[T], row: Row) -> T:
    """The record of one row; raises RecordUnreadable."""
    try:
        return from_row(table, row)
    except DISORDER as error:
        raise RecordUnreadable(table.name, **_tell(table, row, error)) from error


def page(table: Table[T], fetch: Callable[[int | None], Sequence[Row]], limit: int | None) -> list[T]:
    """The first `limit` records that can be read: a page that is not full means that there are no more.

    Args:
        fetch: gives at most so many rows, always the first ones; None = all.
    """
    asked = limit
    while True:
        rows = fetch(asked)
        values = readable(table, rows)[:limit]
        if asked is None or limit is None or len(values) == limit or len(rows) < asked:
            return values
        asked *= 2


def _tell(table: Table[T], row: Row, error: Exception) -> dict[str, str]:
    ids = {name: str(dict(row).get(name))[:100] for name in table.key}
    if (key := f"{table.name} {ids}") not in _told and len(_told) < MAX_TOLD:
        _told.add(key)
        log.error("a record of the store cannot be read", kind=table.name, **ids, reason=reason_of(error))
    return ids
