"""What an account has in MongoDB, counted exactly without a transaction, which a server that stands alone does not offer.

    read who is under way ──▶ count the records ──▶ compare-and-set: under way too ──▶ add the record ──▶ under way no more

The compare-and-set serializes requests that come at the same time. One that is under way counts until its record is there and
counts itself; if its process dies before, it is forgotten after a minute. There is no counter that could drift.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from pymongo.errors import DuplicateKeyError, PyMongoError

from shared.drivers.mongo import Documents
from shared.errors import StoreAway
from shared.store.records import Waiting

UNDER_WAY_SECONDS = 60.0
TRIES = 200  # each that fails is somebody else's success

Collections = Callable[[str], Documents]


@contextmanager
def admitting(of: Collections, account: str, record_id: str, weight: int, check: Callable[[Waiting], None]) -> Iterator[None]:
    """Inside, there is room for one more record of this account; what `check` raises says that there is none."""
    place, me = of("admissions"), {"id": record_id, "candidates": weight, "at": time.time()}
    for _ in range(TRIES):
        known = place.find_one({"_id": {"$eq": account}}) or {"version": 0, "under_way": []}
        since = time.time() - UNDER_WAY_SECONDS
        others = [entry for entry in known["under_way"] if entry["at"] > since and entry["id"] != record_id]
        check({entry["id"]: entry["candidates"] for entry in others})
        if _is_first(place, account, known["version"], me):
            break
    else:
        raise StoreAway("too many ask for the same project at once")
    try:
        yield
    finally:
        with suppress(PyMongoError):  # then it counts for a minute
            gone = {"$or": [{"id": {"$eq": record_id}}, {"at": {"$lt": since}}]}
            place.update_one({"_id": {"$eq": account}}, {"$pull": {"under_way": gone}})


def _is_first(place: Documents, account: str, version: int, me: Mapping[str, object]) -> bool:
    """Compare-and-set; whether nobody else has come in since that version."""
    if not version:
        try:
            place.insert_one({"_id": account, "version": 1, "under_way": [me]})
        except DuplicateKeyError:
            return False
        return True
    same = {"_id": {"$eq": account}, "version": {"$eq": version}}
    return place.update_one(same, {"$push": {"under_way": me}, "$inc": {"version": 1}}).modified_count == 1
