"""Retention: deleting old records. What is old is decided by worker/reaper/retention.py.

Every call takes a bounded number of records, and short transactions; it gives how many went, 0 = there are no more. Calls may be
repeated and may run side by side. In an SQLite file, pages that become free are used again; the file does not become smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.domain.states import OPEN_STATES
from shared.store.forecasts import FORECASTS, PATHS
from shared.store.jobs import JOBS
from shared.store.records import Between, Exists, Is, OneOf, Records, Where
from shared.store.reports import OUTCOMES, REPORTS
from shared.store.tables import Table
from shared.store.trees import CONFIGURED

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

    def parts(self, table: Table[Any]) -> list[tuple[object, ...]]:
        """Values of the first columns of the key, for each of which `forget` is called."""
        return self.records.distinct(table, table.kept.each) if table.kept.each else [()]

    def forget(self, table: Table[Any], before: datetime, limit: int, part: Sequence[object] = ()) -> int:
        """Drop what is from before, by the moment that counts for the table; of jobs and forecasts not all of it goes."""
        if table is JOBS:
            return self._forget_jobs(before, limit)
        if table is FORECASTS:
            return self._forget_forecasts(before, limit)
        if table is PATHS:
            return self._forget_paths(before, limit)
        if table is CONFIGURED:
            return self._forget_configured(before, limit)
        by = table.kept.by
        own = [Is(name, value) for name, value in zip(table.key, part, strict=False)]
        return self.records.delete_some(table, [*own, Between(by, None, before)], order=((by, True),), limit=limit)

    def _forget_jobs(self, before: datetime, limit: int) -> int:
        """Drop jobs that were created and have ended before, with their reports and outcomes; their forecasts stay."""
        where: Where = [ENDED, Between("created_at", None, before), Between("ended_at", None, before)]
        return self._drop_jobs(where, [job.job_id for job in self.records.find(JOBS, where, order=OLDEST_FIRST, limit=limit)])

    def delete_job(self, job_id: str) -> bool:
        """Drop a job likewise; whether it was there and has ended. Its forecasts stay as long as those of other jobs do."""
        where: Where = [ENDED, Is("job_id", job_id)]
        return bool(self._drop_jobs(where, [job.job_id for job in self.records.find(JOBS, where)]))

    def _drop_jobs(self, where: Where, job_ids: Sequence[str]) -> int:
        theirs = [OneOf("job_id", job_ids)]
        while self.records.delete_some(OUTCOMES, theirs, limit=MAX_OUTCOMES):  # first: a job that is left is found again
            pass
        while self.records.delete_some(REPORTS, theirs, limit=MAX_OUTCOMES):
            pass
        return self.records.delete_some(JOBS, [*where, *theirs])  # one that was tried again meanwhile stays

    def _forget_forecasts(self, before: datetime, limit: int) -> int:
        """Drop forecasts that were created before, with their steps.

        The newest of its series and job stays as long as its job is there.
        """
        old, series = Between("created_at", None, before), ("series_id", "job")
        is_replaced = Exists(FORECASTS, series, later="issued_at")
        has_no_job = Exists(JOBS, ("job_id",), not_=True)
        gone = self.records.delete_some(FORECASTS, [old, is_replaced], order=OLDEST_FIRST, limit=limit)
        return gone + self.records.delete_some(FORECASTS, [old, has_no_job], order=OLDEST_FIRST, limit=limit - gone)

    def _forget_paths(self, before: datetime, limit: int) -> int:
        """Drop paths that were created before and whose forecast is gone."""
        has_gone = Exists(FORECASTS, ("series_id", "job", "issued_at"), not_=True)
        return self.records.delete_some(PATHS, [Between("created_at", None, before), has_gone], order=OLDEST_FIRST, limit=limit)

    def _forget_configured(self, before: datetime, limit: int) -> int:
        """Drop trees that were configured otherwise before: the one that held at that moment, and may hold now, stays."""
        is_replaced = Exists(CONFIGURED, ("cluster",), [Between("at", None, before)], later="at")
        return self.records.delete_some(
            CONFIGURED, [Between("at", None, before), is_replaced], order=(("at", True),), limit=limit
        )
