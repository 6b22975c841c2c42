"""SqliteStore: our records in one file.

How the file is opened and shared: _sqlite_file.py. Its tables: sqlite.sql. Their rows: _rows.py.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from shared.allowances import UNLIMITED, Allowance
from shared.buckets import to_epoch
from shared.documents import from_json, to_json
from shared.errors import QueueNotFound
from shared.forecasts import Forecast
from shared.jobs import Job, JobFilter, JobState, Progress, QueueState
from shared.reports import Point, QueueReport
from shared.states import OPEN_STATES, check_move, check_reopening
from shared.storage import _rows
from shared.storage._reading import page, read_one, readable
from shared.storage._sqlite_accuracy import SqliteAccuracies
from shared.storage._sqlite_admission import add_job, admit_job, change_state, job_row
from shared.storage._sqlite_file import STEP_ARRAYS, SqliteFile, require_version
from shared.storage._sqlite_issues import SqliteIssues
from shared.storage._sqlite_retention import SqliteRetention
from shared.storage._sqlite_schedules import SqliteSchedules
from shared.storage._sqlite_statements import (
    FORECASTS,
    NEWEST,
    NEWEST_OF_EACH,
    forecast_of,
    insert,
    marks,
    of_projects,
    page_of_jobs,
)
from shared.storage._sqlite_tokens import SqliteSessions, SqliteTokens

SERIES_KEY = "queue, metric, period_seconds, timestamp"
MOST_ROWS = 5_000  # of one transaction, so that no writer keeps the others waiting for long


class SqliteStore:
    """The store in one SQLite file; safe for threads, processes and forks. Promises: shared/storage/base.py."""

    def __init__(self, path: Path, *, patience_seconds: float) -> None:
        require_version()
        self._file = SqliteFile(path, patience_seconds=patience_seconds)
        self.tokens = SqliteTokens(self._file)
        self.sessions = SqliteSessions(self._file)
        self.accuracy = SqliteAccuracies(self._file)
        self.issues = SqliteIssues(self._file)
        self.retention = SqliteRetention(self._file)
        self.schedules = SqliteSchedules(self._file)

    def add_job(self, job: Job, allowance: Allowance = UNLIMITED) -> Job:
        """Keep a new job, or give the one that its key or id already has."""
        with self._file.writing() as db:
            return add_job(db, job, allowance)

    def job(self, job_id: str) -> Job:
        """The job of this id; raises JobNotFound."""
        with self._file.reading() as db:
            return read_one("job", job_row(db, job_id), _rows.job)

    def jobs(self, wanted: JobFilter, limit: int, before: tuple[datetime, str] | None = None) -> list[Job]:
        """Jobs that match, newest first, at most `limit`, strictly before that pair."""
        statement, values = page_of_jobs(wanted, before)
        with self._file.reading() as db:
            return page("job", lambda most: db.execute(statement, values | {"limit": most}).fetchall(), limit, _rows.job)

    def open_jobs(self) -> list[Job]:
        """All jobs that have not ended, oldest first."""
        statement = f"SELECT * FROM jobs WHERE state IN ({marks(OPEN_STATES)}) ORDER BY created_at, job_id"  # noqa: S608 - marks only
        with self._file.reading() as db:
            return readable("job", db.execute(statement, tuple(OPEN_STATES)), _rows.job)

    def move_job(self, job_id: str, expected: Collection[JobState], new: JobState, reason: str | None, at: datetime) -> bool:
        """Compare-and-set of the state; whether this call did it."""
        check_move(expected, new)
        with self._file.writing() as db:
            return change_state(db, job_id, expected, _rows.moved(new, reason, at))

    def reopen_job(
        self,
        job_id: str,
        expected: Collection[JobState],
        at: datetime,
        *,
        warnings: Sequence[str] = (),
        allowance: Allowance = UNLIMITED,
    ) -> bool:
        """Compare-and-set from a terminal state to queued; whether this call did it."""
        check_reopening(expected)
        with self._file.writing() as db:
            job = read_one("job", job_row(db, job_id), _rows.job)
            if job.state in expected:
                admit_job(db, job, allowance)
            return change_state(db, job_id, expected, _rows.reopened(at, warnings))

    def free_key(self, job_id: str) -> None:
        """Take the job's Idempotency-Key from it."""
        with self._file.writing() as db:
            job_row(db, job_id)
            db.execute("UPDATE jobs SET idempotency_key = NULL WHERE job_id = ?", (job_id,))

    def update_job(
        self,
        job_id: str,
        *,
        issued_at: datetime | None = None,
        progress: Progress | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        """Set what is given; warnings are added in order, each once."""
        with self._file.writing() as db:
            known = from_json(_rows.Warnings, job_row(db, job_id)["warnings"])
            db.execute(
                "UPDATE jobs SET issued_at = ifnull(?, issued_at), progress = ifnull(?, progress), warnings = ? WHERE job_id = ?",
                (
                    issued_at and to_epoch(issued_at),
                    progress and to_json(progress),
                    to_json(tuple(dict.fromkeys((*known, *warnings))), _rows.Warnings),
                    job_id,
                ),
            )

    def save_report(self, report: QueueReport) -> None:
        """Keep the report of one queue of a job; replaces the earlier one, outcomes included."""
        with self._file.writing() as db:
            db.execute("DELETE FROM job_queues WHERE job_id = ? AND queue = ?", (report.job_id, report.queue))  # and its outcomes
            insert(db, "job_queues", [_rows.report_row(report)])
            insert(db, "outcomes", _rows.outcome_rows(report))

    def report(self, job_id: str, queue: str) -> QueueReport:
        """One queue of a job, with its outcomes; raises QueueNotFound."""
        with self._file.reading() as db:
            row = db.execute("SELECT * FROM job_queues WHERE job_id = ? AND queue = ?", (job_id, queue)).fetchone()
            if row is None:
                raise QueueNotFound(job_id=job_id, queue=queue)
            mine = db.execute("SELECT * FROM outcomes WHERE job_id = ? AND queue = ? ORDER BY rank", (job_id, queue)).fetchall()
            return read_one("report", row, lambda found: _rows.report(found, mine))

    def reports(self, job_id: str) -> list[QueueReport]:
        """All queues of a job by name, without their outcomes."""
        with self._file.reading() as db:
            rows = db.execute("SELECT * FROM job_queues WHERE job_id = ? ORDER BY queue", (job_id,))
            return readable("report", rows, _rows.report)

    def forget_reports(self, job_id: str, states: Collection[QueueState]) -> None:
        """Drop the reports of the job's queues that are in one of these states, outcomes included."""
        statement = f"DELETE FROM job_queues WHERE job_id = ? AND state IN ({marks(states)})"  # noqa: S608 - marks only
        with self._file.writing() as db:
            db.execute(statement, (job_id, *states))

    def save_forecast(self, forecast: Forecast) -> None:
        """Keep a forecast; the same key again replaces all of it, steps included."""
        row = _rows.forecast_row(forecast)
        arrays = {name: json.dumps(row[name], allow_nan=False) for name in STEP_ARRAYS}
        replacing = "ON CONFLICT (queue, metric, job, issued_at) DO UPDATE SET " + ", ".join(
            f"{name} = excluded.{name}" for name in row
        )
        with self._file.writing() as db:
            insert(db, "forecasts", [row | arrays], replacing)

    def forecast(
        self,
        queue: str,
        *,
        metric: str | None = None,
        job: str | None = None,
        issued_at: datetime | None = None,
        projects: Sequence[str] | None = None,
    ) -> Forecast:
        """The newest forecast of a queue that matches what is given; raises QueueNotFound."""
        wanted = {"queue": queue, "metric": metric, "job": job, "issued_at": issued_at and to_epoch(issued_at)}
        found = self._forecasts(NEWEST, wanted, projects)
        if not found:
            raise QueueNotFound("no such forecast", **{name: value for name, value in wanted.items() if value is not None})
        return read_one("forecast", found[0], forecast_of)

    def forecasts(self, queue: str | None = None, job_id: str | None = None) -> list[Forecast]:
        """Every forecast that matches, by queue, metric, job, issued_at."""
        wanted = {"queue": queue, "job_id": job_id}
        conditions = [f"{name} = :{name}" for name, value in wanted.items() if value is not None]
        return readable("forecast", self._forecasts(" AND ".join(conditions) or "TRUE", wanted), forecast_of)

    def newest_forecasts(self, projects: Sequence[str] | None = None) -> list[Forecast]:
        """The newest forecast of every (queue, metric, job), by queue."""
        return readable("forecast", self._forecasts(NEWEST_OF_EACH, {}, projects), forecast_of)

    def save_actuals(self, queue: str, metric: str, step_seconds: int, points: Sequence[Point]) -> None:
        """Keep what was read; gaps are not kept."""
        rows = _rows.actual_rows(queue, metric, step_seconds, points)
        for first in range(0, len(rows), MOST_ROWS):
            with self._file.writing() as db:
                insert(
                    db,
                    "actuals",
                    rows[first : first + MOST_ROWS],
                    f"ON CONFLICT ({SERIES_KEY}) DO UPDATE SET value = excluded.value",
                )

    def actuals(self, queue: str, metric: str, step_seconds: int, start: datetime, end: datetime) -> list[Point]:
        """Actual values in [start, end), by time."""
        return self.actuals_of([queue], metric, step_seconds, start, end).get(queue, [])

    def actuals_of(
        self, queues: Collection[str], metric: str, step_seconds: int, start: datetime, end: datetime
    ) -> dict[str, list[Point]]:
        """Actual values of several queues in [start, end), by time; none for a queue without any."""
        statement = f"""
            SELECT queue, timestamp, value FROM actuals
            WHERE metric = ? AND period_seconds = ? AND timestamp >= ? AND timestamp < ? AND queue IN ({marks(queues)})
            ORDER BY queue, timestamp
        """  # noqa: S608 - marks only
        with self._file.reading() as db:
            rows = db.execute(statement, (metric, step_seconds, to_epoch(start), to_epoch(end), *queues)).fetchall()
        return {queue: readable("actual value", found, _rows.point) for queue, found in groupby(rows, itemgetter("queue"))}

    def check(self) -> None:
        """A real write, for readiness; raises StoreAway."""
        self._file.try_to_write()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _forecasts(self, where: str, values: Mapping[str, Any], projects: Sequence[str] | None = None) -> list[sqlite3.Row]:
        """The rows of the forecasts that match; a `{}` in the condition stands for that of the projects."""
        condition, names = of_projects(projects)
        theirs = condition if projects is None else f"job_id IN (SELECT job_id FROM jobs WHERE {condition})"  # noqa: S608 - our names
        with self._file.reading() as db:
            return db.execute(FORECASTS.format(where.format(theirs)), {**values, **names}).fetchall()
