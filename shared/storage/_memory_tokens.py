"""Tokens in this process's memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from secrets import token_hex
from threading import Lock

from shared.errors import TokenNotFound
from shared.tokens import Token


class MemoryTokens:
    """The part of MemoryStore that keeps tokens. Promises: shared/storage/tokens.py."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tokens: dict[str, Token] = {}
        self._signing_key = token_hex(32)

    def add(self, token: Token) -> None:
        """Keep a new token."""
        with self._lock:
            self._tokens.setdefault(token.token_id, token)

    def all(self) -> list[Token]:
        """Every token, by (created_at, token_id)."""
        with self._lock:
            return sorted(self._tokens.values(), key=lambda token: (token.created_at, token.token_id))

    def revoke(self, token_id: str, at: datetime) -> Token:
        """The token, revoked; raises TokenNotFound."""
        with self._lock:
            if token_id not in self._tokens:
                raise TokenNotFound(token_id=token_id)
            known = self._tokens[token_id]
            self._tokens[token_id] = replace(known, revoked_at=known.revoked_at or at)
            return self._tokens[token_id]

    def note_use(self, token_id: str, at: datetime) -> None:
        """Set when it was last used."""
        with self._lock:
            known = self._tokens.get(token_id)
            if known is not None and (known.last_used_at is None or known.last_used_at < at):
                self._tokens[token_id] = replace(known, last_used_at=at)

    def signing_key(self) -> str:
        """The key that signs sessions."""
        return self._signing_key
