"""MemoryStore: our records in this process's memory, for tests and for trying out; gone with the process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import wraps
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar

from shared.allowances import UNLIMITED, Allowance, Used
from shared.errors import JobNotFound, KeyReused, QueueNotFound
from shared.forecasts import Forecast
from shared.jobs import Job, JobFilter, JobState, Progress, QueueState
from shared.reports import Point, QueueReport
from shared.states import check_move, check_reopening
from shared.storage._memory_accuracy import MemoryAccuracies
from shared.storage._memory_past import MemoryIssues, MemoryRetention
from shared.storage._memory_schedules import MemorySchedules
from shared.storage._memory_tokens import MemorySessions, MemoryTokens

P = ParamSpec("P")
R = TypeVar("R")

Method = Callable[Concatenate["MemoryStore", P], R]


def _alone(method: Method[P, R]) -> Method[P, R]:
    """Threads call one method after the other."""

    @wraps(method)
    def locked(store: MemoryStore, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with store._lock:
            return method(store, *args, **kwargs)

    return locked


class MemoryStore:
    """The store without a file; safe for threads, and not shared between processes. Promises: shared/storage/base.py."""

    def __init__(self) -> None:
        self._lock = RLock()
        self.tokens = MemoryTokens()
        self.sessions = MemorySessions(self._lock)
        self.schedules = MemorySchedules()
        self._jobs: dict[str, Job] = {}
        self._reports: dict[tuple[str, str], QueueReport] = {}
        self._forecasts: dict[tuple[str, str, str, datetime], Forecast] = {}
        self._actuals: dict[tuple[str, str, int], dict[datetime, Point]] = {}
        self.accuracy = MemoryAccuracies(self._lock)
        self.issues = MemoryIssues(self._lock, self._forecasts, self.accuracy)
        self.retention = MemoryRetention(
            lock=self._lock,
            jobs=self._jobs,
            reports=self._reports,
            forecasts=self._forecasts,
            actuals=self._actuals,
            accuracy=self.accuracy,
            sessions=self.sessions.records,
        )

    @_alone
    def add_job(self, job: Job, allowance: Allowance = UNLIMITED) -> Job:
        """Keep a new job, or give the one that its key or id already has."""
        key = (job.client, job.idempotency_key) if job.idempotency_key is not None else None
        twin = next((known for known in self._jobs.values() if (known.client, known.idempotency_key) == key), None)
        if twin is not None and twin.fingerprint != job.fingerprint:
            raise KeyReused(idempotency_key=job.idempotency_key)
        if twin is None and job.job_id not in self._jobs:
            allowance.check_job(job, Used.by(job.account, self._jobs.values()))
        return twin or self._jobs.setdefault(job.job_id, job)

    @_alone
    def job(self, job_id: str) -> Job:
        """The job of this id; raises JobNotFound."""
        if job_id not in self._jobs:
            raise JobNotFound(job_id=job_id)
        return self._jobs[job_id]

    @_alone
    def jobs(self, wanted: JobFilter, limit: int, before: tuple[datetime, str] | None = None) -> list[Job]:
        """Jobs that match, newest first, at most `limit`, strictly before that pair."""
        newest_first = sorted(self._jobs.values(), key=_age, reverse=True)
        matching = (job for job in newest_first if self._matches(job, wanted) and (before is None or _age(job) < before))
        return [job for _, job in zip(range(limit), matching, strict=False)]

    @_alone
    def open_jobs(self) -> list[Job]:
        """All jobs that have not ended, oldest first."""
        return sorted((job for job in self._jobs.values() if not job.state.is_terminal), key=_age)

    @_alone
    def move_job(self, job_id: str, expected: Collection[JobState], new: JobState, reason: str | None, at: datetime) -> bool:
        """Compare-and-set of the state; whether this call did it."""
        check_move(expected, new)
        job = self.job(job_id)
        if job.state not in expected:
            return False
        moved = replace(job, state=new, reason=reason)
        self._jobs[job_id] = replace(moved, ended_at=at) if new.is_terminal else replace(moved, started_at=at)
        return True

    @_alone
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
        if (job := self.job(job_id)).state not in expected:
            return False
        allowance.check_job(job, Used.by(job.account, self._jobs.values()))
        blank = replace(job, reason=None, started_at=None, ended_at=None, progress=Progress(), warnings=tuple(warnings))
        self._jobs[job_id] = replace(blank, state=JobState.QUEUED, queued_at=at)
        return True

    @_alone
    def free_key(self, job_id: str) -> None:
        """Take the job's Idempotency-Key from it."""
        self._jobs[job_id] = replace(self.job(job_id), idempotency_key=None)

    @_alone
    def update_job(
        self,
        job_id: str,
        *,
        issued_at: datetime | None = None,
        progress: Progress | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        """Set what is given; warnings are added in order, each once."""
        job = self.job(job_id)
        self._jobs[job_id] = replace(
            job,
            issued_at=issued_at or job.issued_at,
            progress=progress or job.progress,
            warnings=tuple(dict.fromkeys((*job.warnings, *warnings))),
        )

    @_alone
    def save_report(self, report: QueueReport) -> None:
        """Keep the report of one queue of a job; replaces the earlier one, outcomes included."""
        self._reports[report.job_id, report.queue] = report

    @_alone
    def report(self, job_id: str, queue: str) -> QueueReport:
        """One queue of a job, with its outcomes; raises QueueNotFound."""
        if (job_id, queue) not in self._reports:
            raise QueueNotFound(job_id=job_id, queue=queue)
        return self._reports[job_id, queue]

    @_alone
    def reports(self, job_id: str) -> list[QueueReport]:
        """All queues of a job by name, without their outcomes."""
        return [replace(report, outcomes=()) for key, report in sorted(self._reports.items()) if key[0] == job_id]

    @_alone
    def forget_reports(self, job_id: str, states: Collection[QueueState]) -> None:
        """Drop the reports of the job's queues that are in one of these states."""
        for key in [key for key, report in self._reports.items() if report.job_id == job_id and report.state in states]:
            del self._reports[key]

    @_alone
    def save_forecast(self, forecast: Forecast) -> None:
        """Keep a forecast; the same key again replaces all of it, steps included."""
        self._forecasts[forecast.queue, forecast.metric, forecast.job, forecast.issued_at] = forecast

    @_alone
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
        wanted = {"queue": queue, "metric": metric, "job": job, "issued_at": issued_at}
        given = {name: value for name, value in wanted.items() if value is not None}
        seen = self._forecasts_of(projects)
        matching = [each for each in seen if all(getattr(each, name) == value for name, value in given.items())]
        if not matching:
            raise QueueNotFound("no such forecast", **given)
        return max(matching, key=lambda each: (each.issued_at, each.created_at))

    @_alone
    def forecasts(self, queue: str | None = None, job_id: str | None = None) -> list[Forecast]:
        """Every forecast that matches, by queue, metric, job, issued_at."""
        in_order = (forecast for _, forecast in sorted(self._forecasts.items()))
        return [each for each in in_order if queue in {None, each.queue} and job_id in {None, each.job_id}]

    @_alone
    def newest_forecasts(self, projects: Sequence[str] | None = None) -> list[Forecast]:
        """The newest forecast of every (queue, metric, job), by queue."""
        return list({(each.queue, each.metric, each.job): each for each in self._forecasts_of(projects)}.values())

    @_alone
    def save_actuals(self, queue: str, metric: str, step_seconds: int, points: Sequence[Point]) -> None:
        """Keep what was read; gaps are not kept."""
        kept = self._actuals.setdefault((queue, metric, step_seconds), {})
        kept |= {point.timestamp: point for point in points if point.value is not None}

    @_alone
    def actuals(self, queue: str, metric: str, step_seconds: int, start: datetime, end: datetime) -> list[Point]:
        """Actual values in [start, end), by time."""
        kept = self._actuals.get((queue, metric, step_seconds), {})
        return [point for timestamp, point in sorted(kept.items()) if start <= timestamp < end]

    def actuals_of(
        self, queues: Collection[str], metric: str, step_seconds: int, start: datetime, end: datetime
    ) -> dict[str, list[Point]]:
        """Actual values of several queues in [start, end), by time; none for a queue without any."""
        found = {queue: self.actuals(queue, metric, step_seconds, start, end) for queue in sorted(queues)}
        return {queue: points for queue, points in found.items() if points}

    def check(self) -> None:
        """Always there."""

    def close(self) -> None:
        """Nothing to let go of."""

    def _forecasts_of(self, projects: Sequence[str] | None) -> list[Forecast]:
        """In their order, those whose job is of one of the projects."""
        seen = {job.job_id for job in self._jobs.values() if projects is None or job.request.project in projects}
        return [each for each in self.forecasts() if projects is None or each.job_id in seen]

    def _matches(self, job: Job, wanted: JobFilter) -> bool:
        request = job.request
        of_job = {"state": job.state, "owner": request.owner, "project": request.project, "user_name": request.user_name}
        if any(getattr(wanted, name) not in {None, value} for name, value in of_job.items()):
            return False
        if wanted.projects is not None and request.project not in wanted.projects:
            return False
        return (wanted.queue is None and wanted.model is None) or any(
            wanted.queue in {None, report.queue} and wanted.model in {None, report.winner and report.winner.model}
            for report in self.reports(job.job_id)
        )


def _age(job: Job) -> tuple[datetime, str]:
    return job.created_at, job.job_id
