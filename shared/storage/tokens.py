"""Tokens: the part of the store that knows who may ask the service, said once.

The promises of shared/storage/base.py hold here too. One contract suite runs on every store:
tests/shared/storage/test_every_token_store.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from shared.tokens import Token


class Tokens(Protocol):
    """Tokens by id. A token that was revoked stays, so that audit lines can be read."""

    def add(self, token: Token) -> None:
        """Keep a new token; one whose id is known already stays as it is."""
        ...

    def all(self) -> list[Token]:
        """Every token that was ever made, by (created_at, token_id)."""
        ...

    def were_made(self) -> bool:
        """Whether a token was ever made, also when it is there no more or cannot be read: then nobody is let in without one."""
        ...

    def revoke(self, token_id: str, at: datetime) -> Token:
        """The token, revoked; once revoked it keeps its time. Raises TokenNotFound."""
        ...

    def note_use(self, token_id: str, at: datetime) -> None:
        """Set when it was last used; never back in time. A token that is gone is no error."""
        ...
