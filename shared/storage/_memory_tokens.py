"""Tokens and their sessions in this process's memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from threading import Lock, RLock

from shared.errors import TokenNotFound
from shared.sessions import Session
from shared.tokens import Token


class MemoryTokens:
    """The part of MemoryStore that keeps tokens. Promises: shared/storage/tokens.py."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tokens: dict[str, Token] = {}

    def add(self, token: Token) -> None:
        """Keep a new token."""
        with self._lock:
            self._tokens.setdefault(token.token_id, token)

    def all(self) -> list[Token]:
        """Every token, by (created_at, token_id)."""
        with self._lock:
            return sorted(self._tokens.values(), key=lambda token: (token.created_at, token.token_id))

    def were_made(self) -> bool:
        """Whether a token was ever made."""
        return bool(self._tokens)

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


class MemorySessions:
    """The part of MemoryStore that keeps sessions. Promises: shared/storage/sessions.py."""

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self.records: dict[str, Session] = {}

    def add(self, session: Session, most: int) -> None:
        """Keep a new session, and of those of its token only the newest `most`."""
        with self._lock:
            self.records.setdefault(session.digest, session)
            same = [each for each in self.records.values() if each.token_id == session.token_id]
            for older in sorted(same, key=lambda each: each.created_at, reverse=True)[most:]:
                del self.records[older.digest]

    def find(self, digest: str) -> Session | None:
        """The session, expired or not; None = there is none, or it was ended."""
        return self.records.get(digest)

    def end(self, digest: str) -> None:
        """Drop the session; one that is gone is no error."""
        self.records.pop(digest, None)

    def end_all(self, token_id: str) -> None:
        """Drop every session of the token."""
        with self._lock:
            for digest in [digest for digest, each in self.records.items() if each.token_id == token_id]:
                del self.records[digest]
