"""Tokens in the SQLite file."""

from __future__ import annotations

from datetime import datetime
from secrets import token_hex

from shared.errors import TokenNotFound
from shared.storage._rows import to_micros
from shared.storage._sqlite_file import SqliteFile
from shared.storage._sqlite_statements import insert
from shared.storage._token_rows import SIGNING_KEY, token, token_row
from shared.tokens import Token


class SqliteTokens:
    """The part of SqliteStore that keeps tokens. Promises: shared/storage/tokens.py."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def add(self, token: Token) -> None:
        """Keep a new token."""
        with self._file.writing() as db:
            insert(db, "tokens", [token_row(token)], "ON CONFLICT (token_id) DO NOTHING")

    def all(self) -> list[Token]:
        """Every token, by (created_at, token_id)."""
        with self._file.reading() as db:
            return [token(row) for row in db.execute("SELECT * FROM tokens ORDER BY created_at, token_id")]

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

    def signing_key(self) -> str:
        """The key that signs sessions."""
        with self._file.reading() as db:
            row = db.execute("SELECT value FROM signing_keys WHERE name = ?", (SIGNING_KEY,)).fetchone()
        if row is None:
            with self._file.writing() as db:
                insert(db, "signing_keys", [{"name": SIGNING_KEY, "value": token_hex(32)}], "ON CONFLICT (name) DO NOTHING")
                row = db.execute("SELECT value FROM signing_keys WHERE name = ?", (SIGNING_KEY,)).fetchone()
        return str(row["value"])
