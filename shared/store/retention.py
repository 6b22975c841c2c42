"""Retention: deleting old records. What is old is decided by worker/reaper/retention.py.

Every call takes a bounded number of records, and short transactions; it gives how many went, 0 = there are no more. Calls may be
repeated and may run side by side. In an SQLite file, pages that become free are used again; the file does not become smaller.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.states import OPEN_STATES
from shared.store.records import Between, Exists, Is, OneOf, Records, Where
from shared.store.tables import ACCURACY, ACTUALS, FORECASTS, JOBS, OUTCOMES, REPORTS, SESSIONS

MAX_OUTCOMES = 1_000  # of one transaction
OLDEST_FIRST = (("created_at", True),)
ENDED = OneOf("state", tuple(OPEN_STATES), not_=True)


@dataclass(frozen=True, slots=True)
class Retention:
    """Deleting, the oldest first."""

    records: Records

    def free_keys(self, before: datetime, limit: int) -> int:
        """Take their Idempotency-Keys from jobs that were created before, and have ended."""
        where: Where = [ENDED, Between("idempotency_key"), Between("created_at", None, before)]
        old = self.records.find(JOBS, where, order=OLDEST_FIRST, limit=limit)
        with self.records.together():
            return sum(self.records.update_if(JOBS, [job.job_id], lambda job: replace(job, idempotency_key=None)) for job in old)

    def forget_jobs(self, before: datetime, limit: int) -> int:
        """Drop jobs that were created and have ended before, with their reports and outcomes; their forecasts stay."""
        where: Where = [ENDED, Between("created_at", None, before), Between("ended_at", None, before)]
        old = [job.job_id for job in self.records.find(JOBS, where, order=OLDEST_FIRST, limit=limit)]
        theirs = [OneOf("job_id", old)]
        while self.records.delete_some(OUTCOMES, theirs, limit=MAX_OUTCOMES):  # first: a job that is left is found again
            pass
        while self.records.delete_some(REPORTS, theirs, limit=MAX_OUTCOMES):
            pass
        return self.records.delete_some(JOBS, [*where, *theirs])  # one that was tried again meanwhile stays

    def forget_forecasts(self, before: datetime, limit: int) -> int:
        """Drop forecasts that were created before, with their steps.

        The newest of its series and job stays as long as its job is there.
        """
        old, series = Between("created_at", None, before), ("series_id", "job")
        is_replaced = Exists(FORECASTS, series, later="issued_at")
        has_no_job = Exists(JOBS, ("job_id",), not_=True)
        gone = self.records.delete_some(FORECASTS, [old, is_replaced], order=OLDEST_FIRST, limit=limit)
        return gone + self.records.delete_some(FORECASTS, [old, has_no_job], order=OLDEST_FIRST, limit=limit - gone)

    def forget_accuracy(self, before: datetime, limit: int) -> int:
        """Drop the accuracy records of forecasts that were created before."""
        return self.records.delete_some(ACCURACY, [Between("created_at", None, before)], order=OLDEST_FIRST, limit=limit)

    def forget_sessions(self, before: datetime, limit: int) -> int:
        """Drop sessions that expired before."""
        expired = [Between("expires_at", None, before)]
        return self.records.delete_some(SESSIONS, expired, order=(("expires_at", True),), limit=limit)

    def series_ids(self) -> list[str]:
        """Those of every series that has actual values."""
        return [series_id for (series_id,) in self.records.distinct(ACTUALS, ["series_id"])]

    def forget_actuals(self, series_id: str, before: datetime, limit: int) -> int:
        """Drop the actual values of a series before that time."""
        where: Where = [Is("series_id", series_id), Between("timestamp", None, before)]
        return self.records.delete_some(ACTUALS, where, order=(("timestamp", True),), limit=limit)
