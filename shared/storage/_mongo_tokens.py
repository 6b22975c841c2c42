"""Tokens and their sessions in MongoDB, one document each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection as Documents

from shared.errors import TokenNotFound
from shared.sessions import Session
from shared.storage._mongo_place import MongoPlace
from shared.storage._mongo_writes import insert_once, speaks_mongo
from shared.storage._reading import read_one, readable
from shared.storage._rows import to_micros
from shared.storage._token_rows import session, session_row, token, token_row
from shared.tokens import Token

Of = Callable[[str], Documents[dict[str, Any]]]


class MongoTokens:
    """The part of MongoStore that keeps tokens. Promises: shared/storage/tokens.py."""

    def __init__(self, place: MongoPlace) -> None:
        self._place = place
        self._of = place.of

    @speaks_mongo()
    def add(self, token: Token) -> None:
        """Keep a new token; noted first, so that no crash in between leaves it unknown that there was one."""
        self._place.note_tokens()
        insert_once(self._of("tokens"), token.token_id, token_row(token))

    @speaks_mongo()
    def all(self) -> list[Token]:
        """Every token, by (created_at, token_id)."""
        return readable("token", self._of("tokens").find({}, sort=[("created_at", 1), ("_id", 1)]), token)

    @speaks_mongo()
    def were_made(self) -> bool:
        """Whether a token was ever made; the mark outlives the collection."""
        return self._of("tokens").find_one({}, {"_id": 1}) is not None or self._place.had_tokens()

    @speaks_mongo()
    def revoke(self, token_id: str, at: datetime) -> Token:
        """The token, revoked; raises TokenNotFound."""
        update = [{"$set": {"revoked_at": {"$ifNull": ["$revoked_at", to_micros(at)]}}}]
        found = self._of("tokens").find_one_and_update({"_id": {"$eq": token_id}}, update, return_document=ReturnDocument.AFTER)
        if found is None:
            raise TokenNotFound(token_id=token_id)
        return token(found)

    @speaks_mongo()
    def note_use(self, token_id: str, at: datetime) -> None:
        """Set when it was last used."""
        self._of("tokens").update_one({"_id": {"$eq": token_id}}, {"$max": {"last_used_at": to_micros(at)}})


class MongoSessions:
    """The part of MongoStore that keeps sessions. Promises: shared/storage/sessions.py."""

    def __init__(self, of: Of) -> None:
        self._of = of

    @speaks_mongo()
    def add(self, session: Session, most: int) -> None:
        """Keep a new session, and of those of its token only the newest `most`."""
        insert_once(self._of("sessions"), session.digest, session_row(session))
        order = [("created_at", -1), ("_id", 1)]
        older = self._of("sessions").find({"token_id": {"$eq": session.token_id}}, {"_id": 1}, sort=order, skip=most)
        self._of("sessions").delete_many({"_id": {"$in": [each["_id"] for each in older]}})

    @speaks_mongo()
    def find(self, digest: str) -> Session | None:
        """The session, expired or not; None = there is none, or it was ended."""
        found = self._of("sessions").find_one({"_id": {"$eq": digest}})
        return read_one("session", found, session) if found is not None else None

    @speaks_mongo()
    def end(self, digest: str) -> None:
        """Drop the session; one that is gone is no error."""
        self._of("sessions").delete_one({"_id": {"$eq": digest}})

    @speaks_mongo()
    def end_all(self, token_id: str) -> None:
        """Drop every session of the token."""
        self._of("sessions").delete_many({"token_id": {"$eq": token_id}})
