"""Store: what we ask of a database, said once.

Every write may be repeated and changes nothing the second time. Times are aware UTC. A store that cannot be reached raises
StoreAway, and only what the outside world causes becomes one of our errors. One contract suite runs on every store:
tests/shared/storage/test_every_store.py.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from shared.allowances import UNLIMITED, Allowance
from shared.forecasts import Forecast
from shared.jobs import Job, JobFilter, JobState, Progress, QueueState
from shared.reports import Point, QueueReport
from shared.storage.accuracy import Accuracies
from shared.storage.issues import Issues
from shared.storage.retention import Retention
from shared.storage.schedules import Schedules
from shared.storage.sessions import Sessions
from shared.storage.tokens import Tokens


class Store(Protocol):
    """Our records: jobs, queue reports (with leaderboards), forecasts, actual values; and parts with a promise of their own."""

    @property
    def tokens(self) -> Tokens:
        """Who may ask the service for what."""
        ...

    @property
    def sessions(self) -> Sessions:
        """Who has logged in with a token."""
        ...

    @property
    def accuracy(self) -> Accuracies:
        """How issued forecasts compare with what happened since."""
        ...

    @property
    def issues(self) -> Issues:
        """Forecasts as they were issued."""
        ...

    @property
    def retention(self) -> Retention:
        """Letting go of old records."""
        ...

    @property
    def schedules(self) -> Schedules:
        """Recurring jobs."""
        ...

    def add_job(self, job: Job, allowance: Allowance = UNLIMITED) -> Job:
        """Keep a new job; returns it, or the job that already has this (client, idempotency_key) and fingerprint, or this id.

        Raises:
            AllowanceUsedUp: its account may not have one more; counted with the addition, also of many at once.
            KeyReused: the key belongs to a request with another fingerprint.
        """
        ...

    def job(self, job_id: str) -> Job:
        """The job of this id; raises JobNotFound."""
        ...

    def jobs(self, wanted: JobFilter, limit: int, before: tuple[datetime, str] | None = None) -> list[Job]:
        """Jobs that match, newest first by (created_at, job_id), at most `limit`, strictly before that pair."""
        ...

    def open_jobs(self) -> list[Job]:
        """All jobs that have not ended, oldest first."""
        ...

    def move_job(self, job_id: str, expected: Collection[JobState], new: JobState, reason: str | None, at: datetime) -> bool:
        """Compare-and-set of the state; whether this call did it, so that a job ends exactly once.

        Sets `started_at` on the way to running and `ended_at` on the way to a terminal state; `reason` replaces the old one.
        Raises JobNotFound, and ValueError for a move that `shared.states` does not allow.
        """
        ...

    def reopen_job(
        self,
        job_id: str,
        expected: Collection[JobState],
        at: datetime,
        *,
        warnings: Sequence[str] = (),
        allowance: Allowance = UNLIMITED,
    ) -> bool:
        """Compare-and-set from a terminal state to queued, the one way out of it; whether this call did it.

        The job is as good as new: no reason, no start and end, no progress, `warnings` instead of those it had, and `queued_at`
        is `at`. What it was planned for stays: `issued_at`, and with it the keys of its forecasts.
        Raises JobNotFound, AllowanceUsedUp as `add_job` does, and ValueError when an expected state is not terminal.
        """
        ...

    def free_key(self, job_id: str) -> None:
        """Take the job's Idempotency-Key from it, so that the next request with it makes a new job. Raises JobNotFound."""
        ...

    def update_job(
        self,
        job_id: str,
        *,
        issued_at: datetime | None = None,
        progress: Progress | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        """Set what is given; warnings are added in order, each once. Raises JobNotFound."""
        ...

    def save_report(self, report: QueueReport) -> None:
        """Keep the report of one queue of a job; replaces the earlier one, with its outcomes in their order."""
        ...

    def report(self, job_id: str, queue: str) -> QueueReport:
        """One queue of a job, with its outcomes in leaderboard order; raises QueueNotFound."""
        ...

    def reports(self, job_id: str) -> list[QueueReport]:
        """All queues of a job by name, without their outcomes."""
        ...

    def forget_reports(self, job_id: str, states: Collection[QueueState]) -> None:
        """Drop the reports, outcomes included, of those of the job's queues that are in one of these states."""
        ...

    def save_forecast(self, forecast: Forecast) -> None:
        """Keep a forecast; key = (queue, metric, job, issued_at). The same key again replaces all of it, steps included."""
        ...

    def forecast(
        self,
        queue: str,
        *,
        metric: str | None = None,
        job: str | None = None,
        issued_at: datetime | None = None,
        projects: Sequence[str] | None = None,
    ) -> Forecast:
        """The newest forecast of a queue that matches what is given; raises QueueNotFound.

        Args:
            projects: only forecasts whose job is there and is of one of these projects; None = any.
        """
        ...

    def forecasts(self, queue: str | None = None, job_id: str | None = None) -> list[Forecast]:
        """Every forecast that matches, by queue, metric, job, issued_at."""
        ...

    def newest_forecasts(self, projects: Sequence[str] | None = None) -> list[Forecast]:
        """The newest forecast of every (queue, metric, job), by queue, metric, job; `projects` as for `forecast`."""
        ...

    def save_actuals(self, queue: str, metric: str, step_seconds: int, points: Sequence[Point]) -> None:
        """Keep what was read; the same (queue, metric, step_seconds, timestamp) again replaces the value. Gaps are not kept."""
        ...

    def actuals(self, queue: str, metric: str, step_seconds: int, start: datetime, end: datetime) -> list[Point]:
        """Actual values in [start, end), by time."""
        ...

    def actuals_of(
        self, queues: Collection[str], metric: str, step_seconds: int, start: datetime, end: datetime
    ) -> dict[str, list[Point]]:
        """Queue → its actual values in [start, end), by time; a queue without any is left out."""
        ...

    def check(self) -> None:
        """A real read, for readiness; raises StoreAway."""
        ...

    def close(self) -> None:
        """Let go of the connection; the store is not used afterwards."""
        ...
