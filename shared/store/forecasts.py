"""Forecasts as they were issued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.forecasts import Forecast
from shared.domain.reports import Issue, issue
from shared.errors import QueueNotFound
from shared.store.accuracy import ACCURACY
from shared.store.jobs import JOBS
from shared.store.records import Between, Condition, Exists, Is, OneOf, Records, given
from shared.store.tables import ISSUE_COLUMNS, STEP_COLUMN, Column, Kept, Kind, Table

SERIES = ("queue", "metric", "job")
NEWEST_FIRST = (("issued_at", False), ("created_at", False), ("metric", True), ("job", True))

FORECASTS = Table(
    name="forecasts",
    value=Forecast,
    columns=(*ISSUE_COLUMNS, Column("created_at", Kind.CLOCK), Column("job_id"), Column("model"), STEP_COLUMN),
    key=("queue", "metric", "job", "issued_at"),
    indexes=(("job_id",), ("created_at",)),
    missing=QueueNotFound,
    kept=Kept(by="created_at", setting="keep_forecasts"),
)


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Forecasts by (queue, metric, job, issued_at)."""

    records: Records

    def save(self, forecast: Forecast) -> None:
        """Keep a forecast; the same key again replaces all of it, steps included."""
        self.records.put_many(FORECASTS, [forecast])

    def newest(
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
        asked = {"queue": queue, "metric": metric, "job": job, "issued_at": issued_at}
        forecast = self.records.first(FORECASTS, [*given(**asked), *_of_projects(projects)], order=NEWEST_FIRST)
        if forecast is None:
            raise QueueNotFound("no such forecast", **{name: value for name, value in asked.items() if value is not None})
        return forecast

    def find(self, queue: str | None = None, job_id: str | None = None) -> list[Forecast]:
        """Every forecast that matches, by queue, metric, job, issued_at."""
        return self.records.find(FORECASTS, given(queue=queue, job_id=job_id))

    def newest_of_each(self, projects: Sequence[str] | None = None) -> list[Forecast]:
        """The newest forecast of every (queue, metric, job), by queue, metric, job; `projects` as for `newest`."""
        return self.records.find(FORECASTS, _of_projects(projects), newest_of=SERIES)

    def queues(self, metric: str, projects: Sequence[str] | None = None) -> list[str]:
        """Names of the queues that have a forecast of this metric, in order; `projects` as for `newest`."""
        return list(self.records.sum_by(FORECASTS, [Is("metric", metric), *_of_projects(projects)], "queue", []))

    def issues(
        self, queue: str, *, metric: str | None = None, job: str | None = None, projects: Sequence[str] | None = None, limit: int
    ) -> list[Issue]:
        """What was issued and matches, newest first by (issued_at, created_at); at most `limit`; `projects` as for `newest`."""
        where = [*given(queue=queue, metric=metric, job=job), *_of_projects(projects)]
        return [issue(forecast) for forecast in self.records.find(FORECASTS, where, order=NEWEST_FIRST, limit=limit)]

    def unverified(
        self, queue: str, metric: str, step_seconds: int, *, since: datetime, before: datetime, limit: int
    ) -> list[Forecast]:
        """Those issued in [since, before) that have no final accuracy, oldest first by issue time and job; at most `limit`.

        The accuracy of a forecast that was replaced by another one under its key is not its own.
        """
        own = ("queue", "metric", "job", "issued_at", "created_at")
        where = [
            *given(queue=queue, metric=metric, period_seconds=step_seconds),
            Between("issued_at", since, before),
            Exists(ACCURACY, own, [Is("is_final", True)], not_=True),
        ]
        return self.records.find(FORECASTS, where, order=(("issued_at", True), ("job", True)), limit=limit)


def _of_projects(projects: Sequence[str] | None) -> list[Condition]:
    return [] if projects is None else [Exists(JOBS, ("job_id",), [OneOf("project", projects)])]
