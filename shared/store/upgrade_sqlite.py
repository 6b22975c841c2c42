"""What would be done to an SQLite file, which is read without a byte of it, or of its log, being written."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from shared.drivers.faults import translated
from shared.errors import StoreAway
from shared.store.outlook import OPEN, Outlook, migrations_from
from shared.store.schema import VERSION
from shared.store.sqlite_place import StorePlace
from shared.store.sqlite_schema import TOUCHED, lacking, version_of


def look(path: Path) -> Outlook:
    """What would be done to this file."""
    place = StorePlace(path)
    if place.is_new:
        return Outlook(found=None)
    place.location()  # raises for one that is gone or empty, and was not
    with translated(StoreAway, file=path), _read_only(path) as db:
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if "jobs" not in names:
            raise StoreAway("it is no store of ours", file=path)
        found = version_of(db)
        records = {
            number: {name: _count(db, name) for name in tables if name in names}
            for number, tables in TOUCHED.items()
            if number >= found
        }
        (pages,), (size,) = (db.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
        return Outlook(
            found=found,
            migrations=migrations_from(found, records),
            made=tuple(lacking(db)) if found <= VERSION else (),
            size_bytes=pages * size,
            free_bytes=shutil.disk_usage(path.parent).free,
            open_jobs=_open_jobs(db),
        )


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """One moment of it. Without a log nobody has it open, and SQLite is told so: else it would begin one."""
    alone = "" if path.with_name(path.name + "-wal").exists() else "&immutable=1"
    uri = f"{path.absolute().as_uri()}?mode=ro{alone}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
        db.execute("BEGIN")
        yield db


def _count(db: sqlite3.Connection, table: str) -> int:
    (count,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our names
    return int(count)


def _open_jobs(db: sqlite3.Connection) -> int:
    marks = ", ".join("?" * len(OPEN))
    (count,) = db.execute(f"SELECT count(*) FROM jobs WHERE state IN ({marks})", OPEN).fetchone()  # noqa: S608 - as many marks
    return int(count)
