"""The database of a MongoDB store: marked as ours, and seen to be still the one that this process has opened.

A database that was dropped comes back empty with the next write; in an empty one no token exists, so everybody would be let in.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from secrets import token_hex

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from shared.drivers.mongo import MARK, Document, Documents, Patience, mongo_client, mongo_database
from shared.errors import InvalidSettings, StoreAway
from shared.store import schema
from shared.store.mongo_schema import prepare

LOOK_EVERY_SECONDS = 1.0
ONE = "store"  # the id of the one document in the collection of the mark


class MongoPlace:
    """Gives the collections; raises StoreAway from then on that the mark is not the one that was found at first."""

    def __init__(self, url: str, *, patience: Patience) -> None:
        self._url = url
        self._patience: Patience = patience
        self._store_id: str | None = None
        self._ready_in: int | None = None  # the process in which the indexes have been seen to
        self._look_at = 0.0

    def of(self, name: str) -> Documents:
        """The collection of this name."""
        return self._database()[name]

    def try_to_write(self) -> None:
        """Write into the mark when that was; raises StoreAway."""
        marks = self.of(MARK)  # before the id, which is known from then on
        mine = {"_id": ONE, "store_id": self._store_id}
        if not marks.update_one(mine, {"$set": {"checked_at": datetime.now(UTC)}}).matched_count:
            raise _replaced()

    def had_tokens(self) -> bool:
        """Whether the mark says that a token was ever made."""
        return bool((self.of(MARK).find_one({"_id": ONE}) or {}).get("had_tokens"))

    def note_tokens(self) -> None:
        """Let the mark say that a token was made."""
        self.of(MARK).update_one({"_id": ONE, "had_tokens": {"$ne": True}}, {"$set": {"had_tokens": True}})

    def _database(self) -> Database[Document]:
        try:
            database = mongo_database(mongo_client(self._url, patience=self._patience), None)
        except InvalidSettings as error:
            raise InvalidSettings(f"QUEUECAST_STORE_URL: {error.detail}") from None
        if self._store_id is None:
            self._store_id = _marked(database)
        elif time.monotonic() >= self._look_at:
            self._look(database)
        if self._ready_in != os.getpid():
            prepare(database, (database[MARK].find_one({"_id": ONE}) or {}).get("schema"))
            database[MARK].update_one({"_id": ONE}, {"$max": {"schema": schema.VERSION}})
            self._ready_in = os.getpid()
        return database

    def _look(self, database: Database[Document]) -> None:
        if database[MARK].find_one({"_id": ONE, "store_id": self._store_id}, {"_id": 1}) is None:
            raise _replaced()
        self._look_at = time.monotonic() + LOOK_EVERY_SECONDS


def _marked(database: Database[Document]) -> str:
    """The id of the store in this database, which is marked if it was not."""
    mark = database[MARK].find_one({"_id": ONE})
    if mark is None:
        had_tokens = database["tokens"].find_one({}, {"_id": 1}) is not None  # of a release that made no mark
        new = {"_id": ONE, "store_id": token_hex(16), "made_at": datetime.now(UTC), "had_tokens": had_tokens}
        with suppress(DuplicateKeyError):  # another process has just marked it
            database[MARK].insert_one(new)
        mark = database[MARK].find_one({"_id": ONE}) or {}
    return str(mark.get("store_id"))


def _replaced() -> StoreAway:
    return StoreAway("its database was dropped or replaced; bring the same one back, or restart Queuecast if that is meant")
