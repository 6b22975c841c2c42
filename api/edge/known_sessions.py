"""The sessions as the store had them a moment ago, so that a page that asks again and again costs no look into it.

Each process looks for itself: a session that ended is refused in its own process at once, in all others within LIFE_SECONDS; one
that is new is known at once. What no session has, is asked of the store each time, by its key.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from api.edge.known_tokens import LIFE_SECONDS, STALE_SECONDS
from shared.domain.sessions import MAX_SESSIONS, Session, is_session_id, make_session
from shared.domain.tokens import digest_of
from shared.errors import StoreAway
from shared.store.sessions import Sessions

MAX_KNOWN = 10_000  # then all are looked up anew


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What was found. Times are seconds of the clock that never goes back."""

    session: Session
    answered_at: float  # when the store told it
    tried_at: float  # when it was last asked


class KnownSessions:
    """The sessions of a store; safe for threads. Methods raise StoreAway when the store has been away for too long.

    Args:
        sessions: gives the store's part, opened on first use.
        clock: seconds, never going back.
    """

    def __init__(self, sessions: Callable[[], Sessions], clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._clock = clock
        self._lock = Lock()  # never held while the store is asked
        self._looks: dict[str, _Look] = {}
        self._ended = 0  # sessions that this process has ended

    def begin(self, token_id: str, now: datetime) -> str:
        """A new session of the token; gives its id, for the cookie."""
        session, session_id = make_session(token_id, now)
        self._sessions().add(session, MAX_SESSIONS)
        return session_id

    def token_of(self, session_id: str, now: datetime) -> str | None:
        """The token's id of a session; None = it is none of ours, has ended or is too old."""
        if not is_session_id(session_id):
            return None
        session = self._find(digest_of(session_id))
        return session.token_id if session is not None and now < session.expires_at else None

    def end(self, session_id: str) -> None:
        """End the session; one that has ended is no error."""
        if not is_session_id(session_id):
            return
        digest = digest_of(session_id)
        self._sessions().end(digest)
        with self._lock:
            self._ended += 1
            self._looks.pop(digest, None)

    def _find(self, digest: str) -> Session | None:
        asked_at, known, ended = self._clock(), self._looks.get(digest), self._ended
        if known is not None and asked_at < known.tried_at + LIFE_SECONDS:
            return known.session
        try:
            found = self._sessions().find(digest)
        except StoreAway:
            if known is None or self._clock() > known.answered_at + STALE_SECONDS:
                raise
            self._keep(digest, replace(known, tried_at=self._clock()), ended)
            return known.session
        now = self._clock()
        self._keep(digest, _Look(session=found, answered_at=now, tried_at=now) if found else None, ended)
        return found

    def _keep(self, digest: str, look: _Look | None, ended: int) -> None:
        """Remember a look, unless a session has ended since it began: it may be this one."""
        with self._lock:
            if len(self._looks) >= MAX_KNOWN:
                self._looks.clear()
            self._looks.pop(digest, None)
            if look is not None and ended == self._ended:
                self._looks[digest] = look
