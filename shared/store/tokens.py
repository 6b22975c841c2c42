"""Tokens: who may ask the service for what."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.tokens import Token
from shared.errors import TokenNotFound
from shared.store.records import Records
from shared.store.tables import Column, Kind, Table

TOKENS = Table(
    name="tokens",
    value=Token,
    columns=(Column("token_id"), Column("digest"), Column("created_at", Kind.CLOCK)),
    key=("token_id",),
    unique=("digest",),
    missing=TokenNotFound,
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens by id. A token that was revoked stays, so that audit lines can be read."""

    records: Records

    def add(self, token: Token) -> None:
        """Keep a new token; one whose id is known already stays as it is.

        Noted first, so that no crash in between leaves it unknown that there was one.
        """
        self.records.note_tokens()
        self.records.add(TOKENS, token)

    def all(self) -> list[Token]:
        """Every token that was ever made, by (created_at, token_id)."""
        return self.records.find(TOKENS, order=(("created_at", True), ("token_id", True)))

    def were_made(self) -> bool:
        """Whether a token was ever made, also when it is there no more or cannot be read: then nobody is let in without one."""
        return self.records.has_any(TOKENS) or self.records.had_tokens()

    def revoke(self, token_id: str, at: datetime) -> Token:
        """The token, revoked; once revoked it keeps its time. Raises TokenNotFound."""
        self.records.update_if(TOKENS, [token_id], lambda token: None if token.revoked_at else replace(token, revoked_at=at))
        return self.records.get(TOKENS, token_id)

    def note_use(self, token_id: str, at: datetime) -> None:
        """Set when it was last used; never back in time. A token that is gone is no error."""

        def used(token: Token) -> Token | None:
            return replace(token, last_used_at=at) if token.last_used_at is None or token.last_used_at < at else None

        with suppress(TokenNotFound):
            self.records.update_if(TOKENS, [token_id], used)
