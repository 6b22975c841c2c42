"""A backup of the store: of an SQLite file as it is at one moment, while it is in use; of a MongoDB store only how to make one.

Written beside its place, looked at, and moved there whole: a file of that name is a good copy, or is not there. The store's own
file is read as it lies: no tables are made in it, nor led to a newer schema.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from shared.drivers.faults import translated
from shared.errors import InvalidRequest, StoreAway
from shared.store.tables import TABLES

PAGES_AT_ONCE = 1_000  # 4 MB; then others may write to the disk, and progress is told

Progress = Callable[[int, int], None]  # pages that are copied, and all


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What was written: the file, its length, the schema, and how many records of each kind are in it."""

    file: Path
    size_bytes: int
    schema: int
    records: dict[str, int]


def back_up(store: Path, file: Path, *, is_forced: bool, show: Progress) -> Backup:
    """Copy the store into `file`, only for this user.

    Args:
        is_forced: whether a file that is there already is replaced.
        show: is told how far it is.

    Raises:
        InvalidRequest: the file is there already, is one of the store's own, or its folder is not there.
        StoreAway: the store is not there, or the copy could not be written or is not whole.
    """
    _refuse_place(store, file, is_forced=is_forced)
    if not store.exists():
        raise StoreAway("there is no such file to back up", file=store)
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with translated(StoreAway, file=file):
            _copy(store, part, show)
            schema, records = _look(part)
        _sync(part)
        _refuse_place(store, file, is_forced=is_forced)  # somebody may have been faster
        part.replace(file)
        _sync(file.parent)
    finally:
        for left in (part, part.with_name(part.name + "-journal"), part.with_name(part.name + "-wal")):
            left.unlink(missing_ok=True)
    return Backup(file=file, size_bytes=file.stat().st_size, schema=schema, records=records)


def _refuse_place(store: Path, file: Path, *, is_forced: bool) -> None:
    own = {store.resolve(), *(store.resolve().with_name(store.name + end) for end in ("-wal", "-shm", "-journal", ".made"))}
    if file.resolve() in own:
        raise InvalidRequest(f"{file} is the store's own file; name another")
    if not file.parent.is_dir():
        raise InvalidRequest(f"{file.parent} is no folder")
    if file.is_dir() or (file.exists() and not is_forced):
        raise InvalidRequest(f"{file} is there already; --force replaces a file")


def _copy(store: Path, part: Path, show: Progress) -> None:
    """A transaction that stays open holds one moment of the store: what others write meanwhile makes no copy begin anew."""
    with (
        closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)) as source,
        closing(sqlite3.connect(part, isolation_level=None)) as copy,
    ):
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        source.backup(copy, pages=PAGES_AT_ONCE, progress=lambda _status, left, pages: show(pages - left, pages))
        source.execute("ROLLBACK")
        copy.execute("PRAGMA journal_mode = DELETE")  # one file that is whole by itself


def _look(part: Path) -> tuple[int, dict[str, int]]:
    """The copy's schema and what is in it; raises StoreAway unless it is whole."""
    with closing(sqlite3.connect(part)) as copy:
        problems = [problem for (problem,) in copy.execute("PRAGMA integrity_check(5)")]
        if problems != ["ok"]:
            raise StoreAway(f"the store is damaged, and so is its copy, which was removed: {'; '.join(problems)[:300]}")
        (schema,) = copy.execute("PRAGMA user_version").fetchone()
        known = {name for (name,) in copy.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if "jobs" not in known:
            raise StoreAway("the file is no store of ours")
        counted = [table.name for table in TABLES if table.name in known]
        records = {name: copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in counted}  # noqa: S608 - our names
    return schema, records


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
