"""The schema of an SQLite file: made where there is none, and migrated from that of an earlier release."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib.resources import files

import structlog

from shared.errors import InvalidSettings
from shared.store.schema_4 import EARLIER_TABLES, migrated
from shared.store.sqlite_statements import insert, schema_of
from shared.store.tables import TABLES

SCHEMA_VERSION = 5  # kept in the file as its user_version
STEP_ARRAYS = ("prediction", "lower_bound", "upper_bound")
# schema of a file → what migrates it to the next one; what was new as a whole needs no line
MIGRATIONS: dict[int, tuple[str, ...]] = {
    1: ("ALTER TABLE jobs ADD COLUMN queued_at INTEGER",),
    2: (  # a forecast's steps move from a table of theirs into arrays
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
# table of schema 4 → how its rows are read; an outcome's key refers to its report's, hence this order of dropping
OLD_TABLES = {
    "outcomes": "SELECT * FROM outcomes_4",
    "job_queues": """
        SELECT *, (SELECT count(*) FROM outcomes_4 AS its WHERE (its.job_id, its.queue) = (this.job_id, this.queue)) AS candidates
        FROM job_queues_4 AS this
    """,
    "jobs": "SELECT * FROM jobs_4",
    "forecasts": "SELECT * FROM forecasts_4",
    "tokens": "SELECT * FROM tokens_4",
    "schedules": "SELECT * FROM schedules_4",
}
MADE_ANEW = """
    SELECT type, name FROM sqlite_schema
    WHERE (type = 'view' AND name IN ('forecast_steps', 'forecast_issued', 'forecast_latest'))
       OR (type = 'index' AND substr(name, 1, length(tbl_name) + 4) = tbl_name || '_by_')
"""

log = structlog.get_logger(__name__)


def make_schema(connection: sqlite3.Connection) -> None:
    """Make what is missing. Several processes may do so at once: the first one makes it, the others wait and find it made.

    Raises InvalidSettings for a file of a newer release.
    """
    version = _version(connection)
    if not 0 <= version <= SCHEMA_VERSION:
        raise InvalidSettings(f"the store's file has schema {version} of a newer release; this one knows {SCHEMA_VERSION}")
    if version < SCHEMA_VERSION:
        with connection:  # commits, or rolls back
            connection.execute("BEGIN IMMEDIATE")
            _migrate(connection, _version(connection))


def _migrate(db: sqlite3.Connection, version: int) -> None:
    """From a schema, 0 = a new file, to ours."""
    old = _set_aside(db, version) if 0 < version < SCHEMA_VERSION else []
    for statement in _statements():
        db.execute(statement)
    for name in old:
        rows = (migrated(name, row) for row in db.execute(OLD_TABLES[name]))
        db.executemany(insert(EARLIER_TABLES[name].table, replaces=True), rows)
    for name in old:
        db.execute(f"DROP TABLE {name}_4")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    if old:
        log.info("the store's file was migrated", found=version, schema=SCHEMA_VERSION)


def _set_aside(db: sqlite3.Connection, version: int) -> list[str]:
    """Rename the tables that schema 5 has in another form, and drop what is made anew; which they are."""
    for step in range(version, 4):
        for statement in MIGRATIONS[step]:
            db.execute(statement)
    for kind, name in db.execute(MADE_ANEW).fetchall():
        db.execute(f"DROP {kind} {name}")
    known = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    tables = [name for name in OLD_TABLES if name in known]
    for name in tables:
        db.execute(f"ALTER TABLE {name} RENAME TO {name}_4")
    return tables


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _statements() -> Iterator[str]:
    for table in TABLES:
        yield from schema_of(table)
    statement = ""
    for line in files(__package__).joinpath("views.sql").read_text(encoding="utf-8").splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
