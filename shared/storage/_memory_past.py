"""Forecasts as they were issued, and letting go of old records, in this process's memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import replace
from datetime import datetime
from threading import RLock
from typing import TypeVar

from shared.forecasts import Forecast
from shared.jobs import Job
from shared.reports import Issue, Point, QueueReport, issue
from shared.sessions import Session
from shared.storage._memory_accuracy import MemoryAccuracies
from shared.storage.retention import Series

K = TypeVar("K")
V = TypeVar("V")
Forecasts = dict[tuple[str, str, str, datetime], Forecast]


class MemoryIssues:
    """The part of MemoryStore that lists issued forecasts. Promises: shared/storage/issues.py."""

    def __init__(self, lock: RLock, forecasts: Forecasts, accuracy: MemoryAccuracies) -> None:
        self._lock = lock
        self._forecasts = forecasts
        self._accuracy = accuracy

    def newest(self, queue: str, *, metric: str | None = None, job: str | None = None, limit: int) -> list[Issue]:
        """Those that match what is given, newest first; at most `limit`."""
        with self._lock:
            matching = [
                each
                for _, each in sorted(self._forecasts.items())
                if each.queue == queue and metric in {None, each.metric} and job in {None, each.job}
            ]
        in_order = sorted(matching, key=lambda each: (each.issued_at, each.created_at), reverse=True)
        return [issue(each) for each in in_order[:limit]]

    def unscored(
        self, queue: str, metric: str, step_seconds: int, *, since: datetime, before: datetime, limit: int
    ) -> list[Forecast]:
        """Those issued in [since, before) that have no final accuracy, oldest first; at most `limit`."""
        with self._lock:
            final = {
                (each.job, each.issued_at, each.created_at)
                for each in self._accuracy.records.values()
                if (each.queue, each.metric) == (queue, metric) and each.is_final
            }
            found = [
                each
                for each in self._forecasts.values()
                if (each.queue, each.metric, each.step_seconds) == (queue, metric, step_seconds)
                and since <= each.issued_at < before
                and (each.job, each.issued_at, each.created_at) not in final
            ]
        return sorted(found, key=lambda each: (each.issued_at, each.job))[:limit]


class MemoryRetention:
    """The part of MemoryStore that lets go. Promises: shared/storage/retention.py."""

    def __init__(
        self,
        *,
        lock: RLock,
        jobs: dict[str, Job],
        reports: dict[tuple[str, str], QueueReport],
        forecasts: Forecasts,
        actuals: dict[Series, dict[datetime, Point]],
        accuracy: MemoryAccuracies,
        sessions: dict[str, Session],
    ) -> None:
        self._lock = lock
        self._jobs, self._reports, self._forecasts, self._actuals = jobs, reports, forecasts, actuals
        self._accuracy, self._sessions = accuracy, sessions

    def free_keys(self, before: datetime, limit: int) -> int:
        """Take their Idempotency-Keys from jobs that were created before, and have ended."""
        with self._lock:
            held = (job for job in self._jobs.values() if job.idempotency_key and job.state.is_terminal)
            old = [job for job in held if job.created_at < before][:limit]
            self._jobs |= {job.job_id: replace(job, idempotency_key=None) for job in old}
            return len(old)

    def forget_jobs(self, before: datetime, limit: int) -> int:
        """Drop jobs that were created and have ended before, with their reports and outcomes."""
        with self._lock:
            gone = _drop(self._jobs, lambda job: _has_ended(job, before), lambda job: job.created_at, limit)
            _drop(self._reports, lambda report: report.job_id in gone, lambda report: report.queue, len(self._reports))
            return len(gone)

    def forget_forecasts(self, before: datetime, limit: int) -> int:
        """Drop forecasts that were created before, with their steps; the newest of a job that is there stays."""
        with self._lock:
            newest = {(each.queue, each.metric, each.job): each for _, each in sorted(self._forecasts.items())}
            kept = [each for each in newest.values() if each.job_id in self._jobs]
            return len(
                _drop(
                    self._forecasts,
                    lambda each: each.created_at < before and each not in kept,
                    lambda each: each.created_at,
                    limit,
                )
            )

    def forget_accuracy(self, before: datetime, limit: int) -> int:
        """Drop the accuracy records of forecasts that were created before."""
        with self._lock:
            records = self._accuracy.records
            return len(_drop(records, lambda each: each.created_at < before, lambda each: each.created_at, limit))

    def forget_sessions(self, before: datetime, limit: int) -> int:
        """Drop sessions that expired before."""
        with self._lock:
            return len(_drop(self._sessions, lambda each: each.expires_at < before, lambda each: each.expires_at, limit))

    def series(self) -> list[Series]:
        """Every series of actual values."""
        with self._lock:
            return sorted(series for series, points in self._actuals.items() if points)

    def forget_actuals(self, series: Series, before: datetime, limit: int) -> int:
        """Drop the actual values of a series before that time."""
        with self._lock:
            points = self._actuals.get(series, {})
            return len(_drop(points, lambda point: point.timestamp < before, lambda point: point.timestamp, limit))


def _drop(records: MutableMapping[K, V], is_old: Callable[[V], bool], age: Callable[[V], datetime | str], limit: int) -> list[K]:
    """Drop the oldest of those that are old, at most `limit`; gives their keys."""
    old: Iterable[K] = sorted((key for key, value in records.items() if is_old(value)), key=lambda key: age(records[key]))
    gone = list(old)[:limit]
    for key in gone:
        del records[key]
    return gone


def _has_ended(job: Job, before: datetime) -> bool:
    return job.state.is_terminal and job.created_at < before and job.ended_at is not None and job.ended_at < before
