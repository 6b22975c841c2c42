"""Tokens and their sessions in the SQLite file."""

from __future__ import annotations

from datetime import datetime

from shared.errors import TokenNotFound
from shared.sessions import Session
from shared.storage._reading import read_one, readable
from shared.storage._rows import to_micros
from shared.storage._sqlite_file import SqliteFile
from shared.storage._sqlite_statements import insert
from shared.storage._token_rows import session, session_row, token, token_row
from shared.tokens import Token


class SqliteTokens:
    """The part of SqliteStore that keeps tokens. Promises: shared/storage/tokens.py."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def add(self, token: Token) -> None:
        """Keep a new token; noted first, so that no crash in between leaves it unknown that there was one."""
        with self._file.writing() as db:
            self._file.place.note_tokens()
            insert(db, "tokens", [token_row(token)], "ON CONFLICT (token_id) DO NOTHING")

    def all(self) -> list[Token]:
        """Every token, by (created_at, token_id)."""
        with self._file.reading() as db:
            return readable("token", db.execute("SELECT * FROM tokens ORDER BY created_at, token_id"), token)

    def were_made(self) -> bool:
        """Whether a token was ever made; the note beside the file outlives the table."""
        with self._file.reading() as db:
            return db.execute("SELECT 1 FROM tokens LIMIT 1").fetchone() is not None or self._file.place.had_tokens()

    def revoke(self, token_id: str, at: datetime) -> Token:
        """The token, revoked; raises TokenNotFound."""
        with self._file.writing() as db:
            db.execute("UPDATE tokens SET revoked_at = ifnull(revoked_at, ?) WHERE token_id = ?", (to_micros(at), token_id))
            row = db.execute("SELECT * FROM tokens WHERE token_id = ?", (token_id,)).fetchone()
        if row is None:
            raise TokenNotFound(token_id=token_id)
        return token(row)

    def note_use(self, token_id: str, at: datetime) -> None:
        """Set when it was last used."""
        with self._file.writing() as db:
            db.execute(
                "UPDATE tokens SET last_used_at = max(ifnull(last_used_at, 0), ?) WHERE token_id = ?", (to_micros(at), token_id)
            )


class SqliteSessions:
    """The part of SqliteStore that keeps sessions. Promises: shared/storage/sessions.py."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def add(self, session: Session, most: int) -> None:
        """Keep a new session, and of those of its token only the newest `most`."""
        older = "SELECT digest FROM sessions WHERE token_id = ? ORDER BY created_at DESC, digest LIMIT -1 OFFSET ?"
        with self._file.writing() as db:
            insert(db, "sessions", [session_row(session)], "ON CONFLICT (digest) DO NOTHING")
            db.execute(f"DELETE FROM sessions WHERE digest IN ({older})", (session.token_id, most))  # noqa: S608 - ours

    def find(self, digest: str) -> Session | None:
        """The session, expired or not; None = there is none, or it was ended."""
        with self._file.reading() as db:
            row = db.execute("SELECT * FROM sessions WHERE digest = ?", (digest,)).fetchone()
        return read_one("session", row, session) if row is not None else None

    def end(self, digest: str) -> None:
        """Drop the session; one that is gone is no error."""
        with self._file.writing() as db:
            db.execute("DELETE FROM sessions WHERE digest = ?", (digest,))

    def end_all(self, token_id: str) -> None:
        """Drop every session of the token."""
        with self._file.writing() as db:
            db.execute("DELETE FROM sessions WHERE token_id = ?", (token_id,))
