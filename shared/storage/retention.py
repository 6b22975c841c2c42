"""Retention: how the store lets go of old records, said once. What is old is decided by worker/retention.py.

Every call takes a bounded number of records, and short transactions; it gives how many went, 0 = there are no more. Calls may be
repeated and may run side by side. One contract suite runs on every store: tests/shared/storage/test_every_retention.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

Series = tuple[str, str, int]  # queue, metric, step_seconds


class Retention(Protocol):
    """Letting go, the oldest first."""

    def free_keys(self, before: datetime, limit: int) -> int:
        """Take their Idempotency-Keys from jobs that were created before, and have ended."""
        ...

    def forget_jobs(self, before: datetime, limit: int) -> int:
        """Drop jobs that were created and have ended before, with their reports and outcomes; their forecasts stay."""
        ...

    def forget_forecasts(self, before: datetime, limit: int) -> int:
        """Drop forecasts that were created before, with their steps.

        The newest of its (queue, metric, job) stays as long as its job is there.
        """
        ...

    def forget_accuracy(self, before: datetime, limit: int) -> int:
        """Drop the accuracy records of forecasts that were created before."""
        ...

    def forget_sessions(self, before: datetime, limit: int) -> int:
        """Drop sessions that expired before."""
        ...

    def series(self) -> list[Series]:
        """Every series of actual values, by queue, metric, step_seconds."""
        ...

    def forget_actuals(self, series: Series, before: datetime, limit: int) -> int:
        """Drop the actual values of a series before that time."""
        ...
