"""Forecasts as they were issued, in the SQLite file."""

from __future__ import annotations

from datetime import datetime

from shared.buckets import to_epoch
from shared.forecasts import Forecast
from shared.reports import Issue
from shared.storage._accuracy_rows import issue
from shared.storage._reading import page
from shared.storage._sqlite_file import SqliteFile
from shared.storage._sqlite_statements import forecast_of

_NEWEST = """
    SELECT * FROM forecasts WHERE queue = :queue AND metric = ifnull(:metric, metric) AND job = ifnull(:job, job)
    ORDER BY issued_at DESC, created_at DESC, metric, job LIMIT :limit
"""
_UNSCORED = """
    SELECT * FROM forecasts AS this
    WHERE queue = :queue AND metric = :metric AND period_seconds = :period AND issued_at >= :since AND issued_at < :before
      AND NOT EXISTS (
          SELECT 1 FROM accuracy AS its
          WHERE (its.queue, its.metric, its.job, its.issued_at) = (this.queue, this.metric, this.job, this.issued_at)
            AND its.created_at = this.created_at AND its.is_final = 1
      )
    ORDER BY issued_at, job LIMIT :limit
"""


class SqliteIssues:
    """The part of SqliteStore that lists issued forecasts. Promises: shared/storage/issues.py."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def newest(self, queue: str, *, metric: str | None = None, job: str | None = None, limit: int) -> list[Issue]:
        """Those that match what is given, newest first; at most `limit`."""
        with self._file.reading() as db:
            wanted = {"queue": queue, "metric": metric, "job": job}
            return page("forecast", lambda most: db.execute(_NEWEST, wanted | {"limit": most}).fetchall(), limit, issue)

    def unscored(
        self, queue: str, metric: str, step_seconds: int, *, since: datetime, before: datetime, limit: int
    ) -> list[Forecast]:
        """Those issued in [since, before) that have no final accuracy, oldest first; at most `limit`."""
        wanted = {"queue": queue, "metric": metric, "period": step_seconds, "since": to_epoch(since), "before": to_epoch(before)}
        with self._file.reading() as db:
            return page("forecast", lambda most: db.execute(_UNSCORED, wanted | {"limit": most}).fetchall(), limit, forecast_of)
