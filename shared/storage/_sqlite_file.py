"""One SQLite file, opened by several processes and threads at once: connections, transactions, schema.

What keeps it fast and whole (5-storage.md, section 7, measured it): WAL, so that readers never wait for the writer; `BEGIN
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
from importlib.resources import files
from pathlib import Path

import structlog

from shared.drivers.faults import translated
from shared.errors import InvalidSettings, RecordRefused, StoreAway
from shared.storage._sqlite_place import StorePlace

REFUSALS = frozenset({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_TRIGGER"})
STEP_ARRAYS = ("prediction", "lower_bound", "upper_bound")
SCHEMA_VERSION = 4  # kept in the file as its user_version
# schema of a file → what leads to the next one; what is new as a whole needs no line, sqlite.sql makes it
MIGRATIONS: dict[int, tuple[str, ...]] = {
    1: ("ALTER TABLE jobs ADD COLUMN queued_at INTEGER",),
    2: (  # a forecast's steps move from a table of theirs into arrays: a page of hundreds of queues reads one row each
        *(f"ALTER TABLE forecasts ADD COLUMN {name} TEXT NOT NULL DEFAULT '[]'" for name in STEP_ARRAYS),
        "UPDATE forecasts SET (prediction, lower_bound, upper_bound) = ("
        "SELECT json_group_array(prediction), json_group_array(lower_bound), json_group_array(upper_bound) FROM ("
        "SELECT * FROM forecast_steps AS steps WHERE (steps.queue, steps.metric, steps.job, steps.issued_at)"
        " = (forecasts.queue, forecasts.metric, forecasts.job, forecasts.issued_at) ORDER BY timestamp))",
        "DROP VIEW forecast_latest",
        "DROP VIEW forecast_issued",
        "DROP TABLE forecast_steps",
    ),
    3: ("DROP TABLE IF EXISTS signing_keys",),  # sessions are random ids now: no key that could sign one lies in the file
}

log = structlog.get_logger(__name__)


class SqliteFile:
    """A file with our tables. Nothing is opened before the first use.

    Each thread of each process has a connection of its own: readers go side by side, and a thread that waits for a lock keeps
    nobody else waiting, as it would if all shared one. The process is part of the key because a connection must not cross a
    fork; an inherited one is neither used nor closed.
    """

    def __init__(self, path: Path, *, patience_seconds: float) -> None:
        self.place = StorePlace(path)
        self._path = path
        self._patience_seconds = patience_seconds
        self._connections: dict[tuple[int, int], sqlite3.Connection] = {}
        self._turns: dict[int, threading.Lock] = {}  # by process

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one moment of the file; raises StoreAway."""
        with self._transaction("BEGIN DEFERRED") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes everything or, after any exception or a kill, nothing; raises StoreAway, RecordRefused."""
        with self._turn():
            with _refusals(), self._transaction("BEGIN IMMEDIATE") as connection:
                yield connection
            with self._told():  # what went into a file that was just taken away is not written
                self.place.check(connection)

    def try_to_write(self) -> None:
        """Write one page that says what it said before; raises StoreAway, whatever is in the way."""
        self.place.look_again()
        with self.writing() as connection:
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def close(self) -> None:
        """Close this process's connections; no thread of it may be using one."""
        for key in [key for key in self._connections if key[0] == os.getpid()]:
            self._connections.pop(key).close()
        self.place.forget_log()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Writers of one process go one after the other.

        SQLite lets whoever asks at the right moment go first; of eight threads that write all the time, some never do.
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
        with self._told():
            connection = self._connection()
            try:
                self.place.check(connection)
                with connection:  # commits, or rolls back
                    connection.execute(begin)
                    yield connection
            except sqlite3.DatabaseError:
                connection.execute("PRAGMA shrink_memory")  # pages of a destroyed file must not be remembered once it is mended
                raise

    def _told(self) -> AbstractContextManager[None]:
        return translated(StoreAway, file=self._path)

    def _connection(self) -> sqlite3.Connection:
        key = os.getpid(), threading.get_ident()
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
            connection.row_factory = sqlite3.Row
            self.place.refuse_emptied(connection, was_made=was_made)
            _switch_to_wal(connection, self._patience_seconds)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            _make_schema(connection)
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


def require_version(found: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Raises InvalidSettings when this SQLite is too old for our tables."""
    if found < (3, 37):
        raise InvalidSettings(f"found SQLite {'.'.join(map(str, found))}, at least 3.37 is needed (for STRICT tables)")


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


def _make_schema(connection: sqlite3.Connection) -> None:
    """Make what is missing. Several processes may do so at once: the first one makes it, the others wait and find it made."""
    version = _version(connection)
    if not 0 <= version <= SCHEMA_VERSION:
        raise InvalidSettings(f"the store's file has schema {version} of a newer release; this one knows {SCHEMA_VERSION}")
    if version < SCHEMA_VERSION:
        with connection:  # commits, or rolls back
            connection.execute("BEGIN IMMEDIATE")
            for statement in _statements(_version(connection)):
                connection.execute(statement)


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _statements(version: int) -> Iterator[str]:
    """What leads from a file of this schema, 0 = a new one, to ours."""
    for each in range(version or SCHEMA_VERSION, SCHEMA_VERSION):
        yield from MIGRATIONS[each]
    statement = ""
    for line in files(__package__).joinpath("sqlite.sql").read_text(encoding="utf-8").splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    yield f"PRAGMA user_version = {SCHEMA_VERSION}"
