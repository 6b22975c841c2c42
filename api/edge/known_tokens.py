"""The tokens as the store had them a moment ago, so that a request costs no look into it.

Each process looks for itself: what was revoked is refused everywhere within LIFE_SECONDS, what is new is known at once, or
within FRESH_SECONDS when somebody has just tried another one that is unknown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

import structlog

from shared.config.token_note import is_noted
from shared.domain.tokens import Token, digest_of
from shared.errors import StoreAway
from shared.store.tokens import Tokens

LIFE_SECONDS = 2.0
FRESH_SECONDS = 0.25
STALE_SECONDS = 3_600.0  # while the store is away its last word counts for so long: metrics are wanted most then
USE_NOTED_EVERY = timedelta(hours=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What was found. Times are seconds of the clock that never goes back."""

    tokens: Sequence[Token]
    were_made: bool  # whether a token ever was, readable or not
    answered_at: float  # when the store told it
    tried_at: float  # when it was last asked
    by_digest: dict[str, Token] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_digest", {token.digest: token for token in self.tokens})


class KnownTokens:
    """All tokens of a store; safe for threads. Methods raise StoreAway when the store has been away for too long.

    Args:
        tokens: gives the store's part, opened on first use.
        clock: seconds, never going back.
        note: where it is kept on this machine that tokens were made, should the store forget it; None = nowhere.
    """

    def __init__(
        self, tokens: Callable[[], Tokens], clock: Callable[[], float] = time.monotonic, *, note: Path | None = None
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._note = note
        self._lock = Lock()
        self._look: _Look | None = None
        self._noted: dict[str, datetime] = {}

    def exist(self) -> bool:
        """Whether a token was ever made: from then on nobody is let in without one, should all be revoked or lost."""
        return self._newest().were_made

    def with_secret(self, secret: str, now: datetime) -> Token | None:
        """The valid token of this secret; None = there is none."""
        digest = digest_of(secret)
        found = self._newest().by_digest.get(digest) or self._newest(FRESH_SECONDS).by_digest.get(digest)
        return found if found is not None and found.is_opened_by(secret) and found.is_valid(now) else None

    def with_id(self, token_id: str, now: datetime) -> Token | None:
        """The valid token of this id; None = there is none."""
        found = next((token for token in self._newest().tokens if token.token_id == token_id), None)
        return found if found is not None and found.is_valid(now) else None

    def note_use(self, token: Token, now: datetime) -> None:
        """Tell the store that it is in use, once in an hour; no request fails because of it."""
        last = self._noted.get(token.token_id) or token.last_used_at
        if last is not None and now - last < USE_NOTED_EVERY:
            return
        self._noted[token.token_id] = now
        try:
            self._tokens().note_use(token.token_id, now)
        except StoreAway as error:
            log.warning("the use of a token is not noted", who=token.token_id, error=str(error))

    def _newest(self, age_seconds: float = LIFE_SECONDS) -> _Look:
        """What was found not longer ago than that, or just now."""
        asked_at, known = self._clock(), self._look
        if known is not None and asked_at < known.tried_at + age_seconds:
            return known
        with self._lock:
            known = self._look
            if known is None or known.tried_at < asked_at:  # nobody has looked while we waited
                known = self._look = self._look_now(known)
            return known

    def _look_now(self, known: _Look | None) -> _Look:
        try:
            store = self._tokens()
            found = store.all()
            were_made = bool(found or (known and known.were_made)) or store.were_made() or is_noted(self._note)
        except StoreAway as error:
            now = self._clock()
            if known is None or now > known.answered_at + STALE_SECONDS:
                raise
            log.warning("tokens are those of the last look", error=str(error))
            return replace(known, tried_at=now)
        if were_made and self._note is not None and not is_noted(self._note):
            with suppress(OSError):  # the store knows it as well
                self._note.touch(mode=0o600)
        now = self._clock()
        return _Look(tokens=found, were_made=were_made, answered_at=now, tried_at=now)
