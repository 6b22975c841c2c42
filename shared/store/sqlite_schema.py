"""The schema of an SQLite file: made where there is none, and migrated from that of an earlier release."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib.resources import files

import structlog

from shared.domain.series import UNASSIGNED
from shared.errors import InvalidSettings
from shared.store.codec import to_row
from shared.store.schema_4 import EARLIER_TABLES, migrated
from shared.store.schema_5 import OF_A_NAME, Owners, accepting_losses, scored, with_series
from shared.store.sqlite_statements import insert, schema_of
from shared.store.tables import ACCURACY, FORECASTS, SERIES, TABLES

SCHEMA_VERSION = 6  # kept in the file as its user_version
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
# table of an earlier schema → how its rows are read; an outcome's key refers to its report's, hence this order of dropping
OLD_TABLES = {
    "outcomes": "SELECT * FROM outcomes_old",
    "job_queues": """
        SELECT *, (SELECT count(*) FROM outcomes_old AS its WHERE (its.job_id, its.queue) = (this.job_id, this.queue))
            AS candidates
        FROM job_queues_old AS this
    """,
    "jobs": "SELECT * FROM jobs_old",
    "tokens": "SELECT * FROM tokens_old",
    "schedules": "SELECT * FROM schedules_old",
}
OF_A_QUEUE = ("forecasts", "accuracy", "actuals")  # what schema 5 kept by the queue's name alone
MADE_ANEW = """
    SELECT type, name FROM sqlite_schema
    WHERE (type = 'view' AND name IN ('forecast_steps', 'forecast_issued', 'forecast_latest', 'actual_values'))
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
    if version == SCHEMA_VERSION:  # another process was faster
        return
    old = _set_aside(db, version) if version else []
    for statement in _statements():
        db.execute(statement)
    for name in [name for name in OLD_TABLES if name in old]:
        rows = (migrated(name, row) for row in db.execute(OLD_TABLES[name]))
        db.executemany(insert(EARLIER_TABLES[name].table, replaces=True), rows)
    if version:
        _assign(db, [name for name in OF_A_QUEUE if name in old])
        db.create_function("accepting_losses", 1, accepting_losses, deterministic=True)
        db.execute("UPDATE schedules SET document = accepting_losses(document)")
    for name in old:
        db.execute(f"DROP TABLE {name}_old")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    if version:
        log.info("the store's file was migrated", found=version, schema=SCHEMA_VERSION)


def _assign(db: sqlite3.Connection, names: list[str]) -> None:
    """What was kept by a queue's name joins its series."""
    owners = Owners.of(db.execute("SELECT job_id, document FROM jobs"), db.execute("SELECT job_id, queue FROM reports"))
    rows = {name: db.execute(f"SELECT * FROM {name}_old") for name in names}  # noqa: S608 - our names
    forecasts = (with_series(row, owners.of_forecast(row)) for row in rows.get("forecasts", ()))
    db.executemany(insert(FORECASTS, replaces=True), (migrated("forecasts", row) for row in forecasts))
    db.executemany(insert(ACCURACY, replaces=True), (scored(row, owners.of_forecast(row)) for row in rows.get("accuracy", ())))
    unassigned = 0
    if "actuals" in names:
        for name in db.execute(f"SELECT DISTINCT {', '.join(OF_A_NAME)} FROM actuals_old").fetchall():  # noqa: S608 - our names
            series = owners.of_name(*name)
            own = f"FROM actuals_old WHERE ({', '.join(OF_A_NAME)}) = (?, ?, ?)"
            db.execute(insert(SERIES, replaces=True), to_row(SERIES, series))
            cursor = db.execute(f"INSERT INTO actuals SELECT ?, timestamp, value {own}", (series.series_id, *name))
            unassigned += cursor.rowcount if series.cluster == UNASSIGNED else 0
    if unassigned:
        log.warning("actual values of queues that several series have used are shown nowhere", values=unassigned)


def _set_aside(db: sqlite3.Connection, version: int) -> list[str]:
    """Rename the tables that ours has in another form, and drop what is made anew; which they are."""
    for step in range(version, 4):
        for statement in MIGRATIONS[step]:
            db.execute(statement)
    for kind, name in db.execute(MADE_ANEW).fetchall():
        db.execute(f"DROP {kind} {name}")
    known = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    tables = [name for name in (*(OLD_TABLES if version < 5 else ()), *OF_A_QUEUE) if name in known]
    for name in tables:
        db.execute(f"ALTER TABLE {name} RENAME TO {name}_old")
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
