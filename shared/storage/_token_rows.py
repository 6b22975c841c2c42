"""Token ↔ row of table `tokens`, session ↔ row of table `sessions`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.documents import from_json, to_json
from shared.sessions import Session
from shared.storage._rows import Row, from_micros, to_micros
from shared.tokens import Scope, Token

Projects = tuple[str, ...]


def token_row(token: Token) -> dict[str, Any]:
    """The row of a token."""
    return {
        "token_id": token.token_id,
        "name": token.name,
        "digest": token.digest,
        "scope": token.scope.value,
        "projects": to_json(token.projects, Projects),
        "created_at": to_micros(token.created_at),
        "expires_at": token.expires_at and to_micros(token.expires_at),
        "revoked_at": token.revoked_at and to_micros(token.revoked_at),
        "last_used_at": token.last_used_at and to_micros(token.last_used_at),
    }


def token(row: Row) -> Token:
    """The token of a row."""
    return Token(
        token_id=row["token_id"],
        name=row["name"],
        digest=row["digest"],
        scope=Scope(row["scope"]),
        projects=from_json(Projects, row["projects"]),
        created_at=from_micros(row["created_at"]),
        expires_at=_moment(row["expires_at"]),
        revoked_at=_moment(row["revoked_at"]),
        last_used_at=_moment(row["last_used_at"]),
    )


def session_row(session: Session) -> dict[str, Any]:
    """The row of a session."""
    return {
        "digest": session.digest,
        "token_id": session.token_id,
        "created_at": to_micros(session.created_at),
        "expires_at": to_micros(session.expires_at),
    }


def session(row: Row) -> Session:
    """The session of a row."""
    return Session(
        digest=row["digest"],
        token_id=row["token_id"],
        created_at=from_micros(row["created_at"]),
        expires_at=from_micros(row["expires_at"]),
    )


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
