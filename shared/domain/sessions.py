"""Sessions: a person has logged in with a token. The browser keeps a random id; the store keeps only its SHA-256."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.tokens import digest_of

SESSION_LIFE = timedelta(hours=12)
MAX_SESSIONS = 100  # of one token; the next one ends the oldest
ID_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes, as `token_urlsafe` writes them


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session as the store keeps it. Times are aware UTC."""

    digest: str  # of the id: SHA-256, 64 hexadecimal digits
    token_id: str
    created_at: datetime
    expires_at: datetime


def make_session(token_id: str, now: datetime) -> tuple[Session, str]:
    """A new session and its id, which only the browser keeps."""
    session_id = secrets.token_urlsafe(ID_BYTES)
    session = Session(digest=digest_of(session_id), token_id=token_id, created_at=now, expires_at=now + SESSION_LIFE)
    return session, session_id


def is_session_id(text: str) -> bool:
    """Whether it has the form of a session's id; what has not need not be looked up."""
    return _ID.fullmatch(text) is not None
