"""Tokens and their sessions in MongoDB, one document each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection as Documents
from pymongo.errors import DuplicateKeyError

from shared.drivers.faults import translated
from shared.errors import StoreAway, TokenNotFound
from shared.sessions import Session
from shared.storage._rows import to_micros
from shared.storage._token_rows import session, session_row, token, token_row
from shared.tokens import Token

Of = Callable[[str], Documents[dict[str, Any]]]

speaks_mongo = translated(StoreAway)


class MongoTokens:
    """The part of MongoStore that keeps tokens. Promises: shared/storage/tokens.py."""

    def __init__(self, of: Of) -> None:
        self._of = of

    @speaks_mongo
    def add(self, token: Token) -> None:
        """Keep a new token."""
        _insert(self._of("tokens"), token.token_id, token_row(token))

    @speaks_mongo
    def all(self) -> list[Token]:
        """Every token, by (created_at, token_id)."""
        return [token(found) for found in self._of("tokens").find({}, sort=[("created_at", 1), ("_id", 1)])]

    @speaks_mongo
    def revoke(self, token_id: str, at: datetime) -> Token:
        """The token, revoked; raises TokenNotFound."""
        update = [{"$set": {"revoked_at": {"$ifNull": ["$revoked_at", to_micros(at)]}}}]
        found = self._of("tokens").find_one_and_update({"_id": {"$eq": token_id}}, update, return_document=ReturnDocument.AFTER)
        if found is None:
            raise TokenNotFound(token_id=token_id)
        return token(found)

    @speaks_mongo
    def note_use(self, token_id: str, at: datetime) -> None:
        """Set when it was last used."""
        self._of("tokens").update_one({"_id": {"$eq": token_id}}, {"$max": {"last_used_at": to_micros(at)}})


class MongoSessions:
    """The part of MongoStore that keeps sessions. Promises: shared/storage/sessions.py."""

    def __init__(self, of: Of) -> None:
        self._of = of

    @speaks_mongo
    def add(self, session: Session, most: int) -> None:
        """Keep a new session, and of those of its token only the newest `most`."""
        _insert(self._of("sessions"), session.digest, session_row(session))
        order = [("created_at", -1), ("_id", 1)]
        older = self._of("sessions").find({"token_id": {"$eq": session.token_id}}, {"_id": 1}, sort=order, skip=most)
        self._of("sessions").delete_many({"_id": {"$in": [each["_id"] for each in older]}})

    @speaks_mongo
    def find(self, digest: str) -> Session | None:
        """The session, expired or not; None = there is none, or it was ended."""
        found = self._of("sessions").find_one({"_id": {"$eq": digest}})
        return session(found) if found is not None else None

    @speaks_mongo
    def end(self, digest: str) -> None:
        """Drop the session; one that is gone is no error."""
        self._of("sessions").delete_one({"_id": {"$eq": digest}})

    @speaks_mongo
    def end_all(self, token_id: str) -> None:
        """Drop every session of the token."""
        self._of("sessions").delete_many({"token_id": {"$eq": token_id}})


def _insert(documents: Documents[dict[str, Any]], identity: str, document: dict[str, Any]) -> None:
    """One that is there already stays as it is."""
    with suppress(DuplicateKeyError):
        documents.insert_one({**document, "_id": identity})
