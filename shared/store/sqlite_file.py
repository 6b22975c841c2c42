"""One SQLite file, opened by several processes and threads at once: connections, transactions, schema.

What keeps it fast and whole (measured): WAL, so that readers never wait for the writer; `BEGIN
IMMEDIATE` for all that may write, since a transaction that turns from reading to writing is refused at once, whatever the
busy timeout; short transactions. Only for a local disk: WAL is unsafe on network file systems.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import structlog

from shared.drivers.faults import translated
from shared.errors import InvalidSettings, RecordRefused, StoreAway
from shared.store.sqlite_place import StorePlace
from shared.store.sqlite_schema import make_schema, version_of

REFUSALS = frozenset({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_TRIGGER"})

log = structlog.get_logger(__name__)


class SqliteFile:
    """A file with our tables. Nothing is opened before the first use.

    Each thread of each process has a connection of its own: readers go side by side, and a thread that waits for a lock keeps
    nobody else waiting, as it would if all shared one. The process is part of the key because a connection must not cross a
    fork; an inherited one is neither used nor closed.
    """

    def __init__(self, path: Path, *, patience_seconds: float) -> None:
        if sqlite3.sqlite_version_info < (3, 37):
            raise InvalidSettings(f"found SQLite {sqlite3.sqlite_version}, at least 3.37 is needed (for STRICT tables)")
        self.place = StorePlace(path)
        self._path = path
        self._patience_seconds = patience_seconds
        self._connections: dict[tuple[int, int], sqlite3.Connection] = {}
        self._turns: dict[int, threading.Lock] = {}  # by process

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one moment of the file; raises StoreAway."""
        if (outer := self._under_way()) is not None:
            yield outer
            return
        with self._transaction("BEGIN DEFERRED") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes everything or, after any exception or a kill, nothing; raises StoreAway, RecordRefused."""
        if (outer := self._under_way()) is not None:
            yield outer
            return
        with self._turn():
            with _refusals(), self._transaction("BEGIN IMMEDIATE") as connection:
                yield connection
            with self._translating():  # what went into a file that was just taken away is not written
                self.place.check(connection)

    def try_to_write(self) -> None:
        """Write one page that says what it said before; raises StoreAway, whatever is in the way."""
        self.place.look_again()
        with self.writing() as connection:
            connection.execute(f"PRAGMA user_version = {version_of(connection)}")

    def close(self) -> None:
        """Close this process's connections; no thread of it may be using one."""
        for key in [key for key in self._connections if key[0] == os.getpid()]:
            self._connections.pop(key).close()
        self.place.forget_log()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Writers of one process go one after the other.

        SQLite has no queue of writers: of eight threads that write all the time, some starve.
        """
        lock = self._turns.setdefault(os.getpid(), threading.Lock())  # one that was held at a fork is nobody's in the child
        if not lock.acquire(timeout=self._patience_seconds):
            raise StoreAway("others of this process are writing", file=self._path)
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._translating():
            connection = self._connection()
            try:
                self.place.check(connection)
                with connection:  # commits, or rolls back
                    connection.execute(begin)
                    yield connection
            except sqlite3.DatabaseError:
                connection.execute("PRAGMA shrink_memory")  # pages of a destroyed file must not be remembered once it is mended
                raise

    def _under_way(self) -> sqlite3.Connection | None:
        """The connection of this thread while it is in a transaction: what is asked inside joins that one."""
        connection = self._connections.get(_caller())
        return connection if connection is not None and connection.in_transaction else None

    def _translating(self) -> AbstractContextManager[None]:
        return translated(StoreAway, file=self._path)

    def _connection(self) -> sqlite3.Connection:
        key = _caller()
        if key not in self._connections:
            self._connections[key] = self._open()
        return self._connections[key]

    def _open(self) -> sqlite3.Connection:
        if self.place.is_new:
            self._make_folder()
        was_made = self.place.was_made()
        connection = sqlite3.connect(
            self.place.location(),
            uri=True,
            timeout=self._patience_seconds,
            isolation_level=None,  # transactions begin where we say so
            check_same_thread=False,  # close() is called by one thread for all
        )
        try:
            connection.row_factory, connection.text_factory = sqlite3.Row, _text
            self.place.refuse_emptied(connection, was_made=was_made)
            _switch_to_wal(connection, self._patience_seconds)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            make_schema(connection)
            self.place.adopt(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_folder(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreAway(f"its folder cannot be made: {error.strerror}", file=self._path) from error


def _text(content: bytes) -> str | bytes:
    """What is no UTF-8 stays as it is: then its record only cannot be read, and not every list that it would stand in."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def _caller() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


@contextmanager
def _refusals() -> Iterator[None]:
    """A duplicate of something else than the key of a statement is no repetition: somebody's index is in the way."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorname not in REFUSALS:
            raise
        log.exception("the store refused a record")
        raise RecordRefused("a unique index or a trigger of the database is in the way") from error


def _switch_to_wal(connection: sqlite3.Connection, patience_seconds: float) -> None:
    """A new file is switched once and stays so.

    When two processes switch it together, SQLite refuses one of them at once, whatever the busy timeout: hence the loop.
    """
    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)
        else:
            return
