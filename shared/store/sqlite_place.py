"""Guards the store's file: is it still the one that this process has opened, and was one ever made there?

SQLite goes on writing to a file that was removed or replaced, and begins an empty one where none is; in an empty one no token
exists, so everybody would be let in. Hence two things. At each transaction, device and inode of the file and of its log (`-wal`)
are compared with those that were opened, and its length with what it was. And a note beside the file says that it was made: while
the note is there, nobody begins the store anew.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from shared.errors import StoreAway
from shared.store import schema

LOOK_EVERY_SECONDS = 1.0  # a look with fresh eyes, which reads the file's head; it takes 0.1 ms
NOTE = """\
The store {name} was made here, first noted on {date}. Should the file be gone, no empty one is begun in its place:
put it back, or restore a backup. To begin anew on purpose, delete this note as well.
"""
GONE = "it is gone; put the same file back, or restart Queuecast once a backup is in its place"
REPLACED = "it, or its log, was replaced; put the same files back, or restart Queuecast if that is meant"
EMPTIED = "it is empty, and was not; put it back, or restore a backup"
HAD_TOKENS = "Tokens were made for it: nobody is let in without one, whatever the file says.\n"

Identity = tuple[int, int]  # device, inode


class StorePlace:
    """The file at this path, as one process sees it; raises StoreAway from then on that it is not what was opened.

    All is well again as soon as the same file is back. Another one is taken up by a new process only: who has the old one open
    would mix the two.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log_path = path.with_name(path.name + "-wal")
        self._note = path.with_name(path.name + ".made")
        self._file: Identity | None = None
        self._length = 0
        self._logs: dict[int, Identity | None] = {}  # by process: a parent may let its own go
        self._look_at = 0.0

    @property
    def is_new(self) -> bool:
        """Whether there is no file, and never was; where nobody may look, somebody has made one."""
        try:
            return not (self._file or self.path.exists() or self._note.exists())
        except PermissionError:
            return False

    @property
    def is_behind(self) -> bool:
        """Whether a release before has made the file, and nobody has led it on to this one; also while somebody does."""
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error:
            return False
        return 0 < int(version) < schema.VERSION

    def location(self) -> str:
        """What SQLite is asked to open: only where nothing ever was, it may make a file.

        The file is looked at last: another process may make it, and note that, at any moment of this.
        """
        is_new, was_made = self.is_new, self.was_made()
        status = _stat(self.path)
        if status is None and not is_new:
            raise self._away(f"it is gone; {self._note.name} in the same folder says what to do")
        if status is not None and not status.st_size and was_made:  # SQLite would throw its log away
            raise self._away(EMPTIED)
        return f"{self.path.absolute().as_uri()}?mode={'rwc' if is_new else 'rw'}"

    def was_made(self) -> bool:
        """Whether the note says so; asked before the file is read, so that one that is just being made is not taken for lost."""
        return self._note.exists()

    def refuse_emptied(self, connection: sqlite3.Connection, *, was_made: bool) -> None:
        """Raises StoreAway for a file that has lost our tables; asked before missing ones are made, which would be empty."""
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if was_made and not version:
            raise self._away(EMPTIED)
        if schema.COLUMNS < version <= schema.VERSION:
            self._refuse_foreign(connection)

    def adopt(self, connection: sqlite3.Connection) -> None:
        """What has just been opened and has our tables is the store of this process, and is noted."""
        status, log = _stat(self.path), _identity(self._log_path)
        if status is None:
            raise self._away(GONE)
        if _identity_of(status) != (self._file or _identity_of(status)) or log != self._logs.setdefault(os.getpid(), log):
            raise self._away(REPLACED)
        self._file, self._length = _identity_of(status), max(self._length, status.st_size)
        if not self._note.exists():
            self._write(NOTE.format(name=self.path.name, date=datetime.now(UTC).date()))
        self._refuse_foreign(connection)
        if not self.had_tokens() and connection.execute("SELECT 1 FROM tokens LIMIT 1").fetchone():
            self.note_tokens()

    def forget_log(self) -> None:
        """This process has closed all its connections: the next one begins a log of its own."""
        self._logs.pop(os.getpid(), None)

    def check(self, connection: sqlite3.Connection) -> None:
        """Raises StoreAway unless it is what was opened, and whole as far as a look at its head and length can tell."""
        status = _stat(self.path)
        if status is None:
            raise self._away(GONE)
        log, opened_log = _identity(self._log_path), self._logs.get(os.getpid())
        if log is None and opened_log is not None and _identity_of(status) == self._file:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # what only the removed log has goes into the file
        if _identity_of(status) != self._file or log != opened_log:
            raise self._away(REPLACED)
        is_time = time.monotonic() >= self._look_at
        if status.st_size < self._length or (is_time and not self._log_length()):  # what is in the log only is not in the file
            self._refuse_cut(connection, status.st_size)
        self._length = status.st_size
        if is_time:
            self._look()

    def look_again(self) -> None:
        """Let the next check look at once."""
        self._look_at = 0.0

    def _look(self) -> None:
        """Read the file's head: what a connection has read it keeps in memory, and does not see that the file is destroyed."""
        with closing(sqlite3.connect(self.location(), uri=True, timeout=LOOK_EVERY_SECONDS)) as fresh:
            (version,) = fresh.execute("PRAGMA user_version").fetchone()
            if not version:
                raise self._away(EMPTIED)
            self._refuse_foreign(fresh)
        self._look_at = time.monotonic() + LOOK_EVERY_SECONDS

    def _refuse_foreign(self, connection: sqlite3.Connection) -> None:
        """Another file, or one that somebody has worked on: without its tables it would end every request."""
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name IN ('jobs', 'tokens', 'sessions')").fetchall()
        if len(tables) < 3:
            raise self._away("it lacks tables that every store has; put it back, or restore a backup")

    def had_tokens(self) -> bool:
        """Whether the note says that a token was ever made."""
        try:
            return HAD_TOKENS in self._note.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return False

    def note_tokens(self) -> None:
        """Note that a token was made; raises StoreAway where the note cannot be written."""
        if not self.had_tokens():
            self._write(HAD_TOKENS)

    def _away(self, detail: str) -> StoreAway:
        return StoreAway(detail, file=self.path)

    def _refuse_cut(self, connection: sqlite3.Connection, length: int) -> None:
        """A file becomes shorter by VACUUM too; then it has fewer pages."""
        (pages,), (size,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
        if length < pages * size:
            raise self._away(f"it was cut: {length:,} bytes are left of {pages * size:,}; put it back, or restore a backup")

    def _log_length(self) -> int:
        status = _stat(self._log_path)
        return status.st_size if status is not None else 0

    def _write(self, text: str) -> None:
        try:
            descriptor = os.open(self._note, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with open(descriptor, "a", encoding="utf-8") as note:  # noqa: PTH123 - a descriptor, for its mode
                note.write(text)
        except OSError as error:
            raise self._away(f"the note beside it cannot be written: {error.strerror}") from error


def _identity_of(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino


def _identity(path: Path) -> Identity | None:
    status = _stat(path)
    return None if status is None else _identity_of(status)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreAway(f"it cannot be looked at: {error.strerror}", file=path) from error
