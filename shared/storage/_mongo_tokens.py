"""Tokens in MongoDB: one document each, and one for the key that signs sessions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from secrets import token_hex
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection as Documents
from pymongo.errors import DuplicateKeyError

from shared.drivers.faults import translated
from shared.errors import StoreAway, TokenNotFound
from shared.storage._rows import to_micros
from shared.storage._token_rows import SIGNING_KEY, token, token_row
from shared.tokens import Token

speaks_mongo = translated(StoreAway)


class MongoTokens:
    """The part of MongoStore that keeps tokens. Promises: shared/storage/tokens.py."""

    def __init__(self, of: Callable[[str], Documents[dict[str, Any]]]) -> None:
        self._of = of

    @speaks_mongo
    def add(self, token: Token) -> None:
        """Keep a new token."""
        self._insert("tokens", token.token_id, token_row(token))

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

    @speaks_mongo
    def signing_key(self) -> str:
        """The key that signs sessions."""
        found = self._of("signing_keys").find_one({"_id": SIGNING_KEY})
        if found is None:
            self._insert("signing_keys", SIGNING_KEY, {"value": token_hex(32)})
            found = self._of("signing_keys").find_one({"_id": SIGNING_KEY})
        return str(found["value"]) if found else ""

    def _insert(self, name: str, identity: str, document: dict[str, Any]) -> None:
        """One that is there already stays as it is."""
        try:
            self._of(name).insert_one({**document, "_id": identity})
        except DuplicateKeyError:
            return
