"""Writes to MongoDB that may be repeated, and what it means when the server refuses one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError, WriteError

from shared.drivers.faults import translated
from shared.drivers.mongo import Document, Documents
from shared.errors import RecordRefused, StoreAway

DUPLICATE_KEY = 11_000
REFUSED = "a unique index or a validator of the database is in the way"

log = structlog.get_logger(__name__)


@contextmanager
def speaks_mongo() -> Iterator[None]:
    """Context or decorator: raises StoreAway while the server is away, RecordRefused for a record that it does not take."""
    with translated(StoreAway):
        try:
            yield
        except (WriteError, BulkWriteError) as error:  # a duplicate key is such a WriteError
            if isinstance(error, BulkWriteError) and not error.details.get("writeErrors"):
                raise StoreAway("not enough servers have confirmed what was written") from error
            log.exception("the store refused a record")
            raise RecordRefused(REFUSED) from error


def replace_all(documents: Documents, key: Sequence[str], rows: Sequence[Document]) -> None:
    """Upserts; one that another process has just made is tried again, and then replaces."""
    writes = [ReplaceOne({part: {"$eq": row[part]} for part in key}, row, upsert=True) for row in rows]
    try:
        documents.bulk_write(writes, ordered=False)
    except BulkWriteError as error:
        if any(refusal["code"] != DUPLICATE_KEY for refusal in error.details["writeErrors"]):
            raise
        documents.bulk_write(writes, ordered=False)
