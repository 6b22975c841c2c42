"""Sessions: the part of the store that knows who has logged in, said once.

The promises of shared/storage/base.py hold here too. One contract suite runs on every store:
tests/shared/storage/test_every_session_store.py. Expired sessions go with retention.
"""

from __future__ import annotations

from typing import Protocol

from shared.sessions import Session


class Sessions(Protocol):
    """Sessions by the digest of their id."""

    def add(self, session: Session, most: int) -> None:
        """Keep a new session, and of those of its token only the newest `most`."""
        ...

    def find(self, digest: str) -> Session | None:
        """The session, expired or not; None = there is none, or it was ended."""
        ...

    def end(self, digest: str) -> None:
        """Drop the session; one that is gone is no error."""
        ...

    def end_all(self, token_id: str) -> None:
        """Drop every session of the token."""
        ...
