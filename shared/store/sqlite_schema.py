"""The schema of an SQLite file: made where there is none, and migrated from that of an earlier release."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection
from functools import cache, partial
from importlib.resources import files
from itertools import chain
from typing import Any

import structlog

from shared.domain.series import UNASSIGNED
from shared.store import schema
from shared.store.accuracy import ACCURACY
from shared.store.actuals import SERIES
from shared.store.codec import to_row
from shared.store.forecasts import FORECASTS
from shared.store.schema_4 import EARLIER_TABLES, migrated
from shared.store.schema_5 import NAME, OF_FORECAST, Owners, accepting_losses, scored, with_series
from shared.store.sqlite_statements import insert, schema_of
from shared.store.tables import TABLES, Table

STEP_ARRAYS = ("prediction", "lower_bound", "upper_bound")
# statements that lead to the next schema; what was new as a whole needs none
STATEMENTS: dict[int, tuple[str, ...]] = {
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
    "tokens": "SELECT * FROM tokens_4",
    "schedules": "SELECT * FROM schedules_4",
}
OF_A_NAME = ("forecasts", "accuracy", "actuals")  # what schema 5 kept by the queue's name alone
TOUCHED = {  # number → tables whose records lead on from it
    1: ("jobs",),
    2: ("forecasts", "forecast_steps"),
    3: ("signing_keys",),
    schema.COLUMNS: tuple(OLD_TABLES),
    schema.NAMES: (*OF_A_NAME, "schedules"),
}
MADE_ANEW = """
    SELECT type, '"' || replace(name, '"', '""') || '"' FROM sqlite_schema
    WHERE (type = 'view' AND name IN (
        'forecast_steps', 'forecast_issued', 'forecast_latest', 'forecast_quantiles', 'actual_values'))
       OR (type = 'index' AND substr(name, 1, length(tbl_name) + 4) = tbl_name || '_by_')
"""

log = structlog.get_logger(__name__)


def make_schema(connection: sqlite3.Connection) -> None:
    """Make what is missing. Several processes may do so at once: the first one makes it, the others wait and find it made.

    Raises InvalidSettings for a file of a newer release.
    """
    version = version_of(connection)
    schema.check_known(version, "file")
    if version == schema.VERSION and not lacking(connection):
        return
    with connection:  # commits, or rolls back
        connection.execute("BEGIN IMMEDIATE")
        version = version_of(connection)
        if version:
            schema.migrate(connection, version, STEPS)
        missing = _make_missing(connection)
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
    if version:
        log.info("the store's file was brought up to date", found=version, schema=schema.VERSION, made=missing)


def version_of(connection: sqlite3.Connection) -> int:
    """The schema that the file names; 0 = nothing was made in it."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _run(db: sqlite3.Connection, version: int) -> int:
    for statement in STATEMENTS[version]:
        db.execute(statement)
    return version + 1


def _read_columns(db: sqlite3.Connection) -> int:
    """Records that were columns are written as they are today."""
    old = _set_aside(db, OLD_TABLES, schema.COLUMNS)
    for statement in chain.from_iterable(schema_of(EARLIER_TABLES[name].table) for name in old):
        db.execute(statement)  # of no other table: those have the form of the next step
    for name in old:
        found = schema.counted(db.execute(OLD_TABLES[name]), name, _size(db, f"{name}_{schema.COLUMNS}"))
        rows = (migrated(name, row) for row in found)
        db.executemany(insert(EARLIER_TABLES[name].table, replaces=True), rows)
    for name in old:
        db.execute(f"DROP TABLE {name}_{schema.COLUMNS}")
    return schema.NAMES


def _assign(db: sqlite3.Connection) -> int:
    """What was kept by a queue's name joins its series."""
    old = {name: f"{name}_{schema.NAMES}" for name in _set_aside(db, OF_A_NAME, schema.NAMES)}
    _make_missing(db)
    jobs, reports = db.execute("SELECT job_id, document FROM jobs"), db.execute("SELECT job_id, queue FROM reports")
    whose = db.execute(f"SELECT {', '.join(OF_FORECAST)} FROM {old['forecasts']}") if "forecasts" in old else ()  # noqa: S608 - our names
    owners = Owners.of(jobs, reports, whose)
    rows = {
        name: schema.counted(db.execute(f"SELECT * FROM {old[name]}"), name, _size(db, old[name])) if name in old else ()  # noqa: S608 - our names
        for name in ("forecasts", "accuracy")
    }
    forecasts = (with_series(row, owners.of_forecast(row), owners.interval_of(row)) for row in rows["forecasts"])
    db.executemany(insert(FORECASTS, replaces=True), (migrated("forecasts", row) for row in forecasts))
    accuracies = (scored(row, owners.of_forecast(row), owners.interval_of(row)) for row in rows["accuracy"])
    db.executemany(insert(ACCURACY, replaces=True), accuracies)
    if "actuals" in old:
        _assign_actuals(db, old["actuals"], owners)
    db.create_function("accepting_losses", 1, accepting_losses, deterministic=True)
    db.execute("UPDATE schedules SET document = accepting_losses(document)")
    for table in old.values():
        db.execute(f"DROP TABLE {table}")
    return schema.VERSION


def _assign_actuals(db: sqlite3.Connection, table: str, owners: Owners) -> None:
    unassigned, names = 0, ", ".join(NAME)
    found = db.execute(f"SELECT DISTINCT {names} FROM {table}").fetchall()  # noqa: S608 - our names
    for name in schema.counted(found, "series of actual values", len(found)):
        series = owners.of_name(tuple(name))
        db.execute(insert(SERIES, replaces=True), to_row(SERIES, series))
        own = f"SELECT ?, timestamp, value FROM {table} WHERE ({names}) = (?, ?, ?)"  # noqa: S608 - our names
        cursor = db.execute(f"INSERT INTO actuals {own}", (series.series_id, *name))
        unassigned += cursor.rowcount if series.cluster == UNASSIGNED else 0
    if unassigned:
        log.warning("actual values of queues that several series have used are shown nowhere", values=unassigned)


def _size(db: sqlite3.Connection, table: str) -> int:
    (count,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our names
    return int(count)


STEPS: schema.Steps[sqlite3.Connection] = {
    **{version: partial(_run, version=version) for version in STATEMENTS},
    schema.COLUMNS: _read_columns,
    schema.NAMES: _assign,
}


def _set_aside(db: sqlite3.Connection, tables: Collection[str], version: int) -> list[str]:
    """Rename those of the tables that the file has, and drop what is made anew; which they are."""
    for kind, name in db.execute(MADE_ANEW).fetchall():
        db.execute(f"DROP {kind} {name}")
    names = _names(db)
    old = [name for name in tables if name in names]
    db.execute("PRAGMA legacy_alter_table = ON")  # somebody's own views on ours are neither checked nor rewritten
    for name in old:
        db.execute(f"ALTER TABLE {name} RENAME TO {name}_{version}")
    db.execute("PRAGMA legacy_alter_table = OFF")
    return old


def _names(db: sqlite3.Connection) -> set[str]:
    return {name for (name,) in db.execute("SELECT name FROM sqlite_schema")}


def lacking(db: sqlite3.Connection) -> dict[str, str]:
    """Name → statement of each table, index and view that the file lacks, and of views that an earlier release made otherwise."""
    known = dict(db.execute("SELECT name, sql FROM sqlite_schema").fetchall())
    return {
        name: statement
        for name, statement in _statements(tuple(TABLES)).items()
        if name not in known or (_is_view(statement) and _query_of(known[name]) != _query_of(statement))
    }


def _make_missing(db: sqlite3.Connection) -> list[str]:
    missing = lacking(db)
    for name, statement in missing.items():
        if _is_view(statement):
            db.execute(f"DROP VIEW IF EXISTS {name}")
        db.execute(statement)
    return list(missing)


def _is_view(statement: str) -> bool:
    return statement.startswith("CREATE VIEW")


def _query_of(view: str) -> str:
    """What a view asks, as it is written here or kept in the file."""
    return view.partition(" AS\n")[2].rstrip(";")


@cache
def _statements(tables: tuple[Table[Any], ...]) -> dict[str, str]:
    """Name → what makes the table, index or view of that name."""
    views = files(__package__).joinpath("views.sql").read_text(encoding="utf-8")
    statements = [*chain.from_iterable(map(schema_of, tables)), *re.findall("(?ms)^CREATE VIEW.*?;$", views)]
    return {re.findall(r"IF NOT EXISTS (\w+)", statement)[0]: statement for statement in statements}
