"""Pieces of SQL that several parts of the SQLite store send. Names are ours, values are bound."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from shared.forecasts import Forecast
from shared.jobs import JobFilter
from shared.storage import _rows
from shared.storage._sqlite_file import STEP_ARRAYS

# then conditions, in which a `{}` stands for that of the projects
FORECASTS = "SELECT * FROM forecasts WHERE {} ORDER BY queue, metric, job, issued_at"
NEWEST = """(queue, metric, job, issued_at) IN (
    SELECT queue, metric, job, issued_at FROM forecasts
    WHERE queue = :queue AND metric = ifnull(:metric, metric) AND job = ifnull(:job, job)
      AND issued_at = ifnull(:issued_at, issued_at) AND {}
    ORDER BY issued_at DESC, created_at DESC, metric, job LIMIT 1
)"""
NEWEST_OF_EACH = """(queue, metric, job, issued_at) IN (
    SELECT queue, metric, job, max(issued_at) FROM forecasts WHERE {} GROUP BY queue, metric, job
)"""


def forecast_of(row: sqlite3.Row) -> Forecast:
    """The forecast of a row of `forecasts`, whose steps are arrays of JSON."""
    return _rows.forecast({**row, **{name: json.loads(row[name]) for name in STEP_ARRAYS}})


def insert(db: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]], on_conflict: str = "") -> None:
    """Insert rows, each column → value; `on_conflict` is the clause that follows."""
    for row in rows:
        columns, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks}) {on_conflict}", row)  # noqa: S608 - our names, bound values


def page_of_jobs(wanted: JobFilter, before: tuple[datetime, str] | None) -> tuple[str, dict[str, Any]]:
    """The statement that gives jobs that match, newest first, at most `:limit`, strictly before that pair; and its values."""
    values: dict[str, Any] = {name: value for name, value in asdict(wanted).items() if value is not None}
    of_one_of, names = of_projects(values.pop("projects", None))
    values |= names
    conditions = [of_one_of, *(f"{name} = :{name}" for name in ("state", "owner", "project", "user_name") if name in values)]
    of_queue = [f"{column} = :{name}" for name, column in (("queue", "queue"), ("model", "winner")) if name in values]
    if of_queue:
        conditions.append(f"job_id IN (SELECT job_id FROM job_queues WHERE {' AND '.join(of_queue)})")  # noqa: S608 - our names
    if before is not None:
        conditions.append("(created_at, job_id) < (:before_at, :before_id)")
        values |= {"before_at": _rows.to_micros(before[0]), "before_id": before[1]}
    where = " AND ".join(conditions)
    return f"SELECT * FROM jobs WHERE {where} ORDER BY created_at DESC, job_id DESC LIMIT :limit", values  # noqa: S608 - our names


def of_projects(projects: Sequence[str] | None) -> tuple[str, dict[str, str]]:
    """The condition that a column `project` is one of these, and its values; None = any."""
    if projects is None:
        return "TRUE", {}
    values = {f"project_{number}": project for number, project in enumerate(projects)}
    return f"project IN ({', '.join(f':{name}' for name in values)})", values


def marks(values: Collection[object]) -> str:
    """As many question marks as there are values, for `IN (…)`."""
    return ", ".join("?" * len(values))
