"""Forecasts as they were issued, and letting go of old records, in MongoDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pymongo.collection import Collection as Documents

from shared.buckets import to_epoch
from shared.forecasts import Forecast
from shared.reports import Issue
from shared.states import OPEN_STATES
from shared.storage._accuracy_rows import issue
from shared.storage._mongo_schema import SERIES, STEP_COLUMNS
from shared.storage._mongo_writes import speaks_mongo
from shared.storage._reading import page
from shared.storage._rows import forecast, to_micros
from shared.storage.retention import Series

Of = Callable[[str], Documents[dict[str, Any]]]
Identity = tuple[str, int, int]  # of a forecast among those of a series: job, issued_at, created_at
ENDED = {"state": {"$nin": [state.value for state in OPEN_STATES]}}
IDENTITY = ("job", "issued_at", "created_at")


class MongoIssues:
    """The part of MongoStore that lists issued forecasts. Promises: shared/storage/issues.py."""

    def __init__(self, of: Of) -> None:
        self._of = of

    @speaks_mongo()
    def newest(self, queue: str, *, metric: str | None = None, job: str | None = None, limit: int) -> list[Issue]:
        """Those that match what is given, newest first; at most `limit`."""
        wanted = {"queue": queue, "metric": metric, "job": job}
        given = {name: {"$eq": value} for name, value in wanted.items() if value is not None}
        order = [("issued_at", -1), ("created_at", -1), ("metric", 1), ("job", 1)]
        fields = dict.fromkeys(STEP_COLUMNS, 0)

        def first(most: int) -> list[dict[str, Any]]:
            return list(self._of("forecasts").find(given, fields, sort=order, limit=most, allow_disk_use=True))

        return page("forecast", first, limit, issue)

    @speaks_mongo()
    def unscored(
        self, queue: str, metric: str, step_seconds: int, *, since: datetime, before: datetime, limit: int
    ) -> list[Forecast]:
        """Those issued in [since, before) that have no final accuracy, oldest first; at most `limit`."""
        series = {"queue": {"$eq": queue}, "metric": {"$eq": metric}, "period_seconds": step_seconds}
        matching = series | {"issued_at": {"$gte": to_epoch(since), "$lt": to_epoch(before)}}
        finished = self._of("accuracy").find(matching | {"is_final": 1, "first_step": 1}, dict.fromkeys(IDENTITY, 1))
        final = {_identity(each) for each in finished}
        issued = self._of("forecasts").find(matching, dict.fromkeys(IDENTITY, 1), sort=[("issued_at", 1), ("job", 1)])
        wanted = [each["_id"] for each in issued if _identity(each) not in final]

        def first(most: int) -> list[dict[str, Any]]:
            return list(self._of("forecasts").find({"_id": {"$in": wanted[:most]}}, sort=[("issued_at", 1), ("job", 1)]))

        return page("forecast", first, limit, forecast)


class MongoRetention:
    """The part of MongoStore that lets go. Promises: shared/storage/retention.py."""

    def __init__(self, of: Of) -> None:
        self._of = of

    @speaks_mongo()
    def free_keys(self, before: datetime, limit: int) -> int:
        """Take their Idempotency-Keys from jobs that were created before, and have ended."""
        held = ENDED | {"idempotency_key": {"$type": "string"}, "created_at": {"$lt": to_micros(before)}}
        old = [each["_id"] for each in self._of("jobs").find(held, {"_id": 1}, limit=limit)]
        return self._of("jobs").update_many({"_id": {"$in": old}}, {"$set": {"idempotency_key": None}}).modified_count

    @speaks_mongo()
    def forget_jobs(self, before: datetime, limit: int) -> int:
        """Drop jobs that were created and have ended before, with their reports and outcomes."""
        ended = ENDED | {"created_at": {"$lt": to_micros(before)}, "ended_at": {"$lt": to_micros(before)}}
        old = [each["_id"] for each in self._of("jobs").find(ended, {"_id": 1}, sort=[("created_at", 1)], limit=limit)]
        for name in ("outcomes", "leaderboards"):  # first: a job that is left after a crash is found again
            self._of(name).delete_many({"job_id": {"$in": old}})
        return self._of("jobs").delete_many(ended | {"_id": {"$in": old}}).deleted_count

    @speaks_mongo()
    def forget_forecasts(self, before: datetime, limit: int) -> int:
        """Drop forecasts that were created before, with their steps; the newest of a job that is there stays."""
        fields = dict.fromkeys((*SERIES, "issued_at", "job_id"), 1)
        gone: list[Any] = []
        for each in self._of("forecasts").find({"created_at": {"$lt": to_micros(before)}}, fields, sort=[("created_at", 1)]):
            if len(gone) == limit:
                break
            if not self._is_kept(each):
                gone.append(each["_id"])
        return self._of("forecasts").delete_many({"_id": {"$in": gone}}).deleted_count

    @speaks_mongo()
    def forget_accuracy(self, before: datetime, limit: int) -> int:
        """Drop the accuracy records of forecasts that were created before."""
        old = self._of("accuracy").find(
            {"created_at": {"$lt": to_micros(before)}}, {"_id": 1}, sort=[("created_at", 1)], limit=limit
        )
        return self._of("accuracy").delete_many({"_id": {"$in": [each["_id"] for each in old]}}).deleted_count

    @speaks_mongo()
    def forget_sessions(self, before: datetime, limit: int) -> int:
        """Drop sessions that expired before."""
        expired = self._of("sessions").find(
            {"expires_at": {"$lt": to_micros(before)}}, {"_id": 1}, sort=[("expires_at", 1)], limit=limit
        )
        return self._of("sessions").delete_many({"_id": {"$in": [each["_id"] for each in expired]}}).deleted_count

    @speaks_mongo()
    def series(self) -> list[Series]:
        """Every series of actual values; each is found by one look into the index, as there may be millions of values."""
        names, found = ("queue", "metric", "period_seconds"), list[Series]()
        values = self._of("actuals")
        for queue in values.distinct("queue"):
            for metric in values.distinct("metric", {"queue": {"$eq": queue}}):
                of_metric = dict(zip(names, ({"$eq": queue}, {"$eq": metric}), strict=False))
                found += [(queue, metric, seconds) for seconds in values.distinct("period_seconds", of_metric)]
        return sorted(
            each for each in found if isinstance(each[0], str) and isinstance(each[1], str) and isinstance(each[2], int)
        )

    @speaks_mongo()
    def forget_actuals(self, series: Series, before: datetime, limit: int) -> int:
        """Drop the actual values of a series before that time."""
        queue, metric, seconds = series
        mine = {"queue": {"$eq": queue}, "metric": {"$eq": metric}, "period_seconds": seconds}
        old = mine | {"timestamp": {"$lt": to_epoch(before)}}
        slice_ = [each["_id"] for each in self._of("actuals").find(old, {"_id": 1}, sort=[("timestamp", 1)], limit=limit)]
        return self._of("actuals").delete_many({"_id": {"$in": slice_}}).deleted_count

    def _is_kept(self, found: Mapping[str, Any]) -> bool:
        """Whether an old forecast is the newest of its (queue, metric, job), and its job is there."""
        series = {name: {"$eq": found.get(name)} for name in SERIES}
        is_old = self._of("forecasts").find_one(series | {"issued_at": {"$gt": found.get("issued_at")}}, {"_id": 1})
        return is_old is None and self._of("jobs").find_one({"_id": {"$eq": found.get("job_id")}}, {"_id": 1}) is not None


def _identity(found: Mapping[str, Any]) -> Identity:
    return found.get("job", ""), found.get("issued_at", 0), found.get("created_at", 0)
