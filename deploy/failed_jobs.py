"""Jobs that fail while a stack runs: a line each on its terminal, for whoever started it there and looks nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from shared.domain.jobs import JobFilter, JobState
from shared.errors import ServiceError
from shared.store import Store

LOOK_SECONDS = 5.0
MAX_TOLD = 10  # at a look; who has more of them has seen enough


class FailedJobs:
    """Looks for them now and then.

    Args:
        store: our records.
        tell: a line for the terminal.
    """

    def __init__(self, store: Store, tell: Callable[[str], None]) -> None:
        self._store, self._tell = store, tell
        self._since, self._look_at = datetime.now(UTC), 0.0
        self._told: set[str] = set()

    def look(self) -> bool:
        """Tell of those that failed since the last look, if it is time for one. False, always: the stack runs on."""
        if time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + LOOK_SECONDS
        try:
            newest = self._store.jobs.find(JobFilter(state=JobState.FAILED), MAX_TOLD)
        except ServiceError:  # the processes say that, each in its log
            return False
        for job in reversed(newest):
            if job.ended_at is not None and job.ended_at >= self._since and job.job_id not in self._told:
                self._told.add(job.job_id)
                self._tell(f"job {job.job_id} ({job.request.job_name}) failed: {job.reason}; queuecast logs --job {job.job_id}")
        return False
