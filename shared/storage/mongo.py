"""MongoStore: our records in MongoDB, for fleets of several machines. Every write is one document, so no transaction is needed;
but a leaderboard, whose outcomes are written before it and counted in it: all of them can be more than a document may hold.

Documents hold the rows of _rows.py: jobs; leaderboards, one per queue of a job; outcomes, one per candidate; forecasts, one per
issue with its steps as arrays; actuals, one per step. What may hold names of people's own is a JSON text, since field names must
not hold dots.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from shared.allowances import UNLIMITED, Allowance
from shared.buckets import to_epoch
from shared.drivers.mongo import Patience
from shared.errors import AllowanceUsedUp, JobNotFound, KeyReused, QueueNotFound
from shared.forecasts import Forecast
from shared.jobs import Job, JobFilter, JobState, Progress, QueueState
from shared.reports import Point, QueueReport
from shared.states import OPEN_STATES, check_move, check_reopening
from shared.storage import _rows
from shared.storage._mongo_accuracy import MongoAccuracies
from shared.storage._mongo_admission import admit_job
from shared.storage._mongo_past import MongoIssues, MongoRetention
from shared.storage._mongo_place import MongoPlace
from shared.storage._mongo_schedules import MongoSchedules
from shared.storage._mongo_schema import SERIES
from shared.storage._mongo_statements import job_of, job_update, newest_forecast, newest_of_each_series, page_of_jobs
from shared.storage._mongo_tokens import MongoSessions, MongoTokens
from shared.storage._mongo_writes import insert_once, replace_all, speaks_mongo
from shared.storage._reading import page, read_one, readable


class MongoStore:
    """The store in one database; safe for threads and forks, since each process has its own client. Promises: base.py."""

    def __init__(self, url: str, *, patience: Patience) -> None:
        self._place = MongoPlace(url, patience=patience)
        self._of = self._place.of
        self.tokens = MongoTokens(self._place)
        self.sessions = MongoSessions(self._of)
        self.accuracy = MongoAccuracies(self._of)
        self.issues = MongoIssues(self._of)
        self.retention = MongoRetention(self._of)
        self.schedules = MongoSchedules(self._of)

    @speaks_mongo()
    def add_job(self, job: Job, allowance: Allowance = UNLIMITED) -> Job:
        """Keep a new job, or give the one that its key or id already has."""
        try:
            with admit_job(self._of, job, allowance):
                is_new = insert_once(self._of("jobs"), job.job_id, {**_rows.job_row(job), "warnings": list(job.warnings)})
        except (DuplicateKeyError, AllowanceUsedUp):  # only a new one needs room
            if (twin := self._twin(job)) is None:
                raise
            return twin
        return job if is_new else self._twin(job) or self.job(job.job_id)

    @speaks_mongo()
    def job(self, job_id: str) -> Job:
        """The job of this id; raises JobNotFound."""
        found = self._of("jobs").find_one({"_id": {"$eq": job_id}})
        if found is None:
            raise JobNotFound(job_id=job_id)
        return read_one("job", found, job_of)

    @speaks_mongo()
    def jobs(self, wanted: JobFilter, limit: int, before: tuple[datetime, str] | None = None) -> list[Job]:
        """Jobs that match, newest first, at most `limit`, strictly before that pair."""
        stages = page_of_jobs(wanted, before)
        return page("job", lambda most: list(self._of("jobs").aggregate([*stages, {"$limit": most}])), limit, job_of)

    @speaks_mongo()
    def open_jobs(self) -> list[Job]:
        """All jobs that have not ended, oldest first."""
        states = {"state": {"$in": [state.value for state in OPEN_STATES]}}
        return readable("job", self._of("jobs").find(states, sort=[("created_at", 1), ("_id", 1)]), job_of)

    @speaks_mongo()
    def move_job(self, job_id: str, expected: Collection[JobState], new: JobState, reason: str | None, at: datetime) -> bool:
        """Compare-and-set of the state; whether this call did it."""
        check_move(expected, new)
        return self._change_state(job_id, expected, _rows.moved(new, reason, at))

    @speaks_mongo()
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
        job = self.job(job_id)
        if job.state not in expected:
            return False
        with admit_job(self._of, job, allowance):
            return self._change_state(job_id, expected, _rows.reopened(at, warnings) | {"warnings": list(warnings)})

    @speaks_mongo()
    def free_key(self, job_id: str) -> None:
        """Take the job's Idempotency-Key from it."""
        if not self._of("jobs").update_one({"_id": {"$eq": job_id}}, {"$set": {"idempotency_key": None}}).matched_count:
            raise JobNotFound(job_id=job_id)

    @speaks_mongo()
    def update_job(
        self,
        job_id: str,
        *,
        issued_at: datetime | None = None,
        progress: Progress | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        """Set what is given; warnings are added in order, each once."""
        update = job_update(issued_at, progress, warnings)
        if not self._of("jobs").update_one({"_id": {"$eq": job_id}}, update).matched_count:
            raise JobNotFound(job_id=job_id)

    @speaks_mongo()
    def save_report(self, report: QueueReport) -> None:
        """Keep the report of one queue of a job; replaces the earlier one, outcomes included."""
        outcomes, mine = list(_rows.outcome_rows(report)), {"job_id": {"$eq": report.job_id}, "queue": {"$eq": report.queue}}
        if outcomes:
            replace_all(self._of("outcomes"), ("job_id", "queue", "rank"), outcomes)
        replace_all(self._of("leaderboards"), ("job_id", "queue"), [_rows.report_row(report) | {"candidates": len(outcomes)}])
        self._of("outcomes").delete_many(mine | {"rank": {"$gte": len(outcomes)}})

    @speaks_mongo()
    def report(self, job_id: str, queue: str) -> QueueReport:
        """One queue of a job, with its outcomes; raises QueueNotFound."""
        found = self._of("leaderboards").find_one({"job_id": {"$eq": job_id}, "queue": {"$eq": queue}})
        if found is None:
            raise QueueNotFound(job_id=job_id, queue=queue)
        mine = {"job_id": {"$eq": job_id}, "queue": {"$eq": queue}, "rank": {"$lt": found.get("candidates", 0)}}
        outcomes = list(self._of("outcomes").find(mine, sort=[("rank", 1)]))
        return read_one("report", found, lambda row: _rows.report(row, outcomes))

    @speaks_mongo()
    def reports(self, job_id: str) -> list[QueueReport]:
        """All queues of a job by name, without their outcomes."""
        found = self._of("leaderboards").find({"job_id": {"$eq": job_id}}, sort=[("queue", 1)])
        return readable("report", found, _rows.report)

    @speaks_mongo()
    def forget_reports(self, job_id: str, states: Collection[QueueState]) -> None:
        """Drop the reports of the job's queues that are in one of these states, outcomes included."""
        wanted = {"job_id": {"$eq": job_id}, "state": {"$in": [state.value for state in states]}}
        queues = self._of("leaderboards").distinct("queue", wanted)
        self._of("leaderboards").delete_many(wanted)
        self._of("outcomes").delete_many({"job_id": {"$eq": job_id}, "queue": {"$in": queues}})

    @speaks_mongo()
    def save_forecast(self, forecast: Forecast) -> None:
        """Keep a forecast; the same key again replaces all of it, steps included."""
        steps = {"timestamp": list(map(to_epoch, forecast.timestamps)), "step": list(range(1, forecast.horizon_steps + 1))}
        replace_all(self._of("forecasts"), (*SERIES, "issued_at"), [_rows.forecast_row(forecast) | steps])

    @speaks_mongo()
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
        given = {name: {"$eq": value} for name, value in wanted.items() if value is not None}
        for found in self._of("forecasts").aggregate(newest_forecast(given, projects)):
            return read_one("forecast", found, _rows.forecast)
        raise QueueNotFound("no such forecast", **{name: value for name, value in wanted.items() if value is not None})

    @speaks_mongo()
    def forecasts(self, queue: str | None = None, job_id: str | None = None) -> list[Forecast]:
        """Every forecast that matches, by queue, metric, job, issued_at."""
        wanted = {"queue": queue, "job_id": job_id}
        given = {name: {"$eq": value} for name, value in wanted.items() if value is not None}
        order = [(name, ASCENDING) for name in (*SERIES, "issued_at")]
        return readable("forecast", self._of("forecasts").find(given, sort=order, allow_disk_use=True), _rows.forecast)

    @speaks_mongo()
    def newest_forecasts(self, projects: Sequence[str] | None = None) -> list[Forecast]:
        """The newest forecast of every (queue, metric, job), by queue."""
        found = self._of("forecasts").aggregate(newest_of_each_series(projects), allowDiskUse=True)
        return readable("forecast", (each["newest"] for each in found), _rows.forecast)

    @speaks_mongo()
    def save_actuals(self, queue: str, metric: str, step_seconds: int, points: Sequence[Point]) -> None:
        """Keep what was read; gaps are not kept."""
        rows = _rows.actual_rows(queue, metric, step_seconds, points)
        if rows:
            replace_all(self._of("actuals"), ("queue", "metric", "period_seconds", "timestamp"), rows)

    @speaks_mongo()
    def actuals(self, queue: str, metric: str, step_seconds: int, start: datetime, end: datetime) -> list[Point]:
        """Actual values in [start, end), by time."""
        return self.actuals_of([queue], metric, step_seconds, start, end).get(queue, [])

    @speaks_mongo()
    def actuals_of(
        self, queues: Collection[str], metric: str, step_seconds: int, start: datetime, end: datetime
    ) -> dict[str, list[Point]]:
        """Actual values of several queues in [start, end), by time; none for a queue without any."""
        series = {"queue": {"$in": list(queues)}, "metric": {"$eq": metric}, "period_seconds": step_seconds}
        inside = {"timestamp": {"$gte": to_epoch(start), "$lt": to_epoch(end)}}
        found = self._of("actuals").find(series | inside, sort=[("queue", 1), ("timestamp", 1)])
        return {queue: readable("actual value", group, _rows.point) for queue, group in groupby(found, itemgetter("queue"))}

    @speaks_mongo()
    def check(self) -> None:
        """A real write: a ping succeeds without credentials, and a read while nothing can be kept."""
        self._place.try_to_write()

    def close(self) -> None:
        """The client belongs to the process, and others may use it."""

    def _twin(self, job: Job) -> Job | None:
        """The job that already has the key, or else the id, of a new one."""
        key = {"client": {"$eq": job.client}, "idempotency_key": {"$eq": job.idempotency_key}}
        twin = self._of("jobs").find_one(key) if job.idempotency_key is not None else None
        if twin is not None and twin.get("fingerprint") != job.fingerprint:
            raise KeyReused(idempotency_key=job.idempotency_key)
        twin = twin or self._of("jobs").find_one({"_id": {"$eq": job.job_id}})
        return read_one("job", twin, job_of) if twin is not None else None

    def _change_state(self, job_id: str, expected: Collection[JobState], changes: Mapping[str, Any]) -> bool:
        same = {"_id": {"$eq": job_id}, "state": {"$in": [state.value for state in expected]}}
        if self._of("jobs").update_one(same, {"$set": changes}).modified_count:
            return True
        self.job(job_id)
        return False
