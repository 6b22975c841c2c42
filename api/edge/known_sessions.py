"""The sessions of the store, remembered: one that ended is refused at once in its own process, and soon in all others."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from api.edge.remembered import Remembered
from shared.domain.tokens import MAX_SESSIONS, Session, digest_of, is_session_id, make_session
from shared.store.sessions import Sessions


class KnownSessions:
    """The sessions of a store; safe for threads. Methods raise StoreAway when the store has been away for too long.

    Args:
        sessions: gives the store's part, opened on first use.
        clock: seconds, never going back.
    """

    def __init__(self, sessions: Callable[[], Sessions], clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._by_digest: Remembered[Session] = Remembered(lambda digest: sessions().find(digest), clock)

    def begin(self, token_id: str, now: datetime) -> str:
        """A new session of the token; gives its id, for the cookie."""
        session, session_id = make_session(token_id, now)
        self._sessions().add(session, MAX_SESSIONS)
        return session_id

    def token_of(self, session_id: str, now: datetime) -> str | None:
        """The token's id of a session; None = there is no such session, it has ended or is too old."""
        session = self._by_digest.get(digest_of(session_id)) if is_session_id(session_id) else None
        return session.token_id if session is not None and now < session.expires_at else None

    def end(self, session_id: str) -> None:
        """End the session; one that has ended is no error."""
        if is_session_id(session_id):
            digest = digest_of(session_id)
            self._sessions().end(digest)
            self._by_digest.forget(digest)
