"""Letting go of old records in the SQLite file, slice by slice.

Pages that become free are used again by later records; the file does not become smaller.
"""

from __future__ import annotations

from datetime import datetime

from shared.buckets import to_epoch
from shared.states import OPEN_STATES
from shared.storage._rows import to_micros
from shared.storage._sqlite_file import SqliteFile
from shared.storage._sqlite_statements import marks
from shared.storage.retention import Series

MOST_REPORTS = 50  # of one transaction; each has some dozen outcomes

_OPEN = ", ".join(f"'{state.value}'" for state in sorted(OPEN_STATES))
_OLD_JOBS = f"SELECT job_id FROM jobs WHERE created_at < :before AND state NOT IN ({_OPEN}) AND ended_at < :before"  # noqa: S608 - our names
_OLD_FORECASTS = """
    SELECT queue, metric, job, issued_at FROM forecasts AS this
    WHERE created_at < ? AND NOT (
        EXISTS (SELECT 1 FROM jobs WHERE jobs.job_id = this.job_id)
        AND NOT EXISTS (
            SELECT 1 FROM forecasts AS newer
            WHERE (newer.queue, newer.metric, newer.job) = (this.queue, this.metric, this.job)
              AND newer.issued_at > this.issued_at
        )
    )
    ORDER BY created_at LIMIT ?
"""
_NEXT_SERIES = """
    SELECT queue, metric, period_seconds FROM actuals WHERE (queue, metric, period_seconds) > (?, ?, ?)
    ORDER BY queue, metric, period_seconds LIMIT 1
"""


class SqliteRetention:
    """The part of SqliteStore that lets go. Promises: shared/storage/retention.py."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def free_keys(self, before: datetime, limit: int) -> int:
        """Take their Idempotency-Keys from jobs that were created before, and have ended."""
        old = f"SELECT job_id FROM jobs WHERE idempotency_key IS NOT NULL AND created_at < ? AND state NOT IN ({_OPEN}) LIMIT ?"  # noqa: S608 - ours
        return self._change(f"UPDATE jobs SET idempotency_key = NULL WHERE job_id IN ({old})", to_micros(before), limit)  # noqa: S608 - ours

    def forget_jobs(self, before: datetime, limit: int) -> int:
        """Drop jobs that were created and have ended before, with their reports and outcomes."""
        with self._file.reading() as db:
            old = db.execute(f"{_OLD_JOBS} ORDER BY created_at LIMIT :limit", {"before": to_micros(before), "limit": limit})
            jobs = [row["job_id"] for row in old]
        reports = f"SELECT job_id, queue FROM job_queues WHERE job_id IN ({marks(jobs)}) LIMIT {MOST_REPORTS}"  # noqa: S608 - marks only
        while self._change(f"DELETE FROM job_queues WHERE (job_id, queue) IN ({reports})", *jobs):  # noqa: S608 - and their outcomes
            pass
        gone = 0
        for job_id in jobs:  # one that was tried again meanwhile stays
            with self._file.writing() as db:
                values = {"before": to_micros(before), "job_id": job_id}
                gone += db.execute(f"DELETE FROM jobs WHERE job_id = :job_id AND job_id IN ({_OLD_JOBS})", values).rowcount  # noqa: S608 - ours
        return gone

    def forget_forecasts(self, before: datetime, limit: int) -> int:
        """Drop forecasts that were created before, with their steps; the newest of a job that is there stays."""
        key = "queue, metric, job, issued_at"
        return self._change(f"DELETE FROM forecasts WHERE ({key}) IN ({_OLD_FORECASTS})", to_micros(before), limit)  # noqa: S608 - ours

    def forget_accuracy(self, before: datetime, limit: int) -> int:
        """Drop the accuracy records of forecasts that were created before."""
        key = "queue, metric, job, issued_at, first_step"
        old = f"SELECT {key} FROM accuracy WHERE created_at < ? ORDER BY created_at LIMIT ?"  # noqa: S608 - our names
        return self._change(f"DELETE FROM accuracy WHERE ({key}) IN ({old})", to_micros(before), limit)  # noqa: S608 - our names

    def forget_sessions(self, before: datetime, limit: int) -> int:
        """Drop sessions that expired before."""
        old = "SELECT digest FROM sessions WHERE expires_at < ? ORDER BY expires_at LIMIT ?"
        return self._change(f"DELETE FROM sessions WHERE digest IN ({old})", to_micros(before), limit)  # noqa: S608 - our names

    def series(self) -> list[Series]:
        """Every series of actual values; each is found by one look into the index, as there may be millions of values."""
        found: list[Series] = []
        with self._file.reading() as db:
            while row := db.execute(_NEXT_SERIES, found[-1] if found else ("", "", 0)).fetchone():
                found.append(tuple(row))
        return found

    def forget_actuals(self, series: Series, before: datetime, limit: int) -> int:
        """Drop the actual values of a series before that time."""
        mine = "queue = ?1 AND metric = ?2 AND period_seconds = ?3"
        old = f"SELECT timestamp FROM actuals WHERE {mine} AND timestamp < ?4 ORDER BY timestamp LIMIT ?5"  # noqa: S608 - our names
        statement = f"DELETE FROM actuals WHERE {mine} AND timestamp IN ({old})"  # noqa: S608 - our names
        return self._change(statement, *series, to_epoch(before), limit)

    def _change(self, statement: str, *values: object) -> int:
        with self._file.writing() as db:
            return db.execute(statement, values).rowcount
