"""Issues: the part of the store that lists forecasts as they were issued, without loading the steps of all of them.

The promises of shared/storage/base.py hold here too. One contract suite runs on every store:
tests/shared/storage/test_every_issue_store.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from shared.forecasts import Forecast
from shared.reports import Issue


class Issues(Protocol):
    """Forecasts by issue time."""

    def newest(self, queue: str, *, metric: str | None = None, job: str | None = None, limit: int) -> list[Issue]:
        """Those that match what is given, newest first by (issued_at, created_at); at most `limit`."""
        ...

    def unscored(
        self, queue: str, metric: str, step_seconds: int, *, since: datetime, before: datetime, limit: int
    ) -> list[Forecast]:
        """Those issued in [since, before) that have no final accuracy, oldest first by issue time and job; at most `limit`.

        The accuracy of a forecast that was replaced by another one under its key is not its own.
        """
        ...
