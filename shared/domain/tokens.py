"""Tokens: who may ask the service for what; and sessions: a person has logged in with a token, and the browser keeps a random id.

A secret is shown once, when its token is made; of secrets and ids only the SHA-256 is kept.

A secret has 256 random bits, so a slow hash would protect nothing more: there is no word in it to be guessed.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

PREFIX = "qc_"  # so that people, and scanners of repositories, recognise one
SESSION_LIFE = timedelta(hours=12)
MAX_SESSIONS = 100  # of one token; the next one ends the oldest
SECRET_BYTES = 32  # of a token, and of a session's id
_ID = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes, as `token_urlsafe` writes them


class Scope(StrEnum):
    """What a token may do; each scope includes those before it."""

    READ = "read"
    WRITE = "write"
    APPROVE = "approve"  # decisions about capacities
    ADMIN = "admin"

    def covers(self, needed: Scope) -> bool:
        """Whether who has this scope may do what needs the other."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token as the store keeps it. Times are aware UTC."""

    token_id: str
    name: str
    digest: str  # of the secret: SHA-256, 64 hexadecimal digits
    scope: Scope
    created_at: datetime
    projects: tuple[str, ...] = ()  # whose jobs it sees and starts; none = all
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None  # to the hour

    def is_valid(self, now: datetime) -> bool:
        """Whether it opens anything at this moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def is_opened_by(self, secret: str) -> bool:
        """Whether this is its secret; takes as long for a wrong one as for the right one."""
        return hmac.compare_digest(self.digest, digest_of(secret))


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session as the store keeps it. Times are aware UTC."""

    digest: str  # of the id: SHA-256, 64 hexadecimal digits
    token_id: str
    created_at: datetime
    expires_at: datetime


def make_token(
    *, name: str, scope: Scope, created_at: datetime, projects: Sequence[str] = (), expires_at: datetime | None = None
) -> tuple[Token, str]:
    """A new token and its secret, which nobody can tell again."""
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    token = Token(
        token_id=secrets.token_hex(5),
        name=name,
        digest=digest_of(secret),
        scope=scope,
        created_at=created_at,
        projects=tuple(sorted(set(projects))),
        expires_at=expires_at,
    )
    return token, secret


def make_session(token_id: str, now: datetime) -> tuple[Session, str]:
    """A new session and its id, which only the browser keeps."""
    session_id = secrets.token_urlsafe(SECRET_BYTES)
    session = Session(digest=digest_of(session_id), token_id=token_id, created_at=now, expires_at=now + SESSION_LIFE)
    return session, session_id


def is_session_id(text: str) -> bool:
    """Whether it has the form of a session's id; what has not need not be looked up."""
    return _ID.fullmatch(text) is not None


def digest_of(secret: str) -> str:
    """The SHA-256 of a secret, 64 hexadecimal digits."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
