"""Tokens and sessions of the store, remembered: what was revoked or ended is refused everywhere within LIFE_SECONDS.

What this process has ended itself it refuses at once, and a new token or session is known at once: a token within FRESH_SECONDS
where somebody has just tried another secret that is unknown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from api.edge.remembered import LIFE_SECONDS, Remembered
from shared.config.data_folder import is_noted
from shared.domain.tokens import MAX_SESSIONS, Session, Token, digest_of, is_session_id, make_session
from shared.store.sessions import Sessions
from shared.store.tokens import Tokens

FRESH_SECONDS = 0.25
USE_NOTED_EVERY = timedelta(hours=1)
ALL = ""  # the one key under which all tokens are remembered


class KnownTokens:
    """All tokens of a store; safe for threads. Methods raise StoreAway when the store has been away for too long.

    Args:
        tokens: gives the store's part, opened on first use.
        clock: seconds, never going back.
        note: the file of this machine that says that tokens were made, should the store lose them; None = there is none.
    """

    def __init__(
        self, tokens: Callable[[], Tokens], clock: Callable[[], float] = time.monotonic, *, note: Path | None = None
    ) -> None:
        self._tokens = tokens
        self._note = note
        self._were_made = False  # whether a token ever was, readable or not
        self._remembered: Remembered[Mapping[str, Token]] = Remembered(self._read, clock)
        self._noted: dict[str, datetime] = {}

    def exist(self) -> bool:
        """Whether a token was ever made: from then on nobody is let in without one, should all be revoked or lost."""
        self._by_digest()
        return self._were_made

    def with_secret(self, secret: str, now: datetime) -> Token | None:
        """The valid token of this secret; None = there is none."""
        digest = digest_of(secret)
        token = self._by_digest().get(digest) or self._by_digest(FRESH_SECONDS).get(digest)
        return token if token is not None and token.is_opened_by(secret) and token.is_valid(now) else None

    def with_id(self, token_id: str, now: datetime) -> Token | None:
        """The valid token of this id; None = there is none."""
        return next((token for token in self._by_digest().values() if token.token_id == token_id and token.is_valid(now)), None)

    def note_use(self, token: Token, now: datetime) -> None:
        """Tell the store that it is in use, once in an hour, whatever comes of it."""
        last = self._noted.get(token.token_id) or token.last_used_at
        if last is not None and now - last < USE_NOTED_EVERY:
            return
        self._noted[token.token_id] = now
        self._tokens().note_use(token.token_id, now)

    def _by_digest(self, max_age_seconds: float = LIFE_SECONDS) -> Mapping[str, Token]:
        return self._remembered.get(ALL, max_age_seconds) or {}

    def _read(self, _key: str) -> Mapping[str, Token]:
        tokens = self._tokens()
        by_digest = {token.digest: token for token in tokens.all()}
        self._were_made = self._were_made or bool(by_digest) or tokens.were_made() or is_noted(self._note)
        if self._were_made and self._note is not None and not is_noted(self._note):
            with suppress(OSError):  # the store knows it as well
                self._note.touch(mode=0o600)
        return by_digest


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

    def ends_at(self, session_id: str) -> datetime | None:
        """When it ends by itself; None = there is no such session."""
        session = self._by_digest.get(digest_of(session_id)) if is_session_id(session_id) else None
        return session.expires_at if session is not None else None

    def end(self, session_id: str) -> None:
        """End the session; one that has ended is no error."""
        if is_session_id(session_id):
            digest = digest_of(session_id)
            self._sessions().end(digest)
            self._by_digest.forget(digest)
