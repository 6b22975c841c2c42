"""Hours and days of Parquet files are put together by a process of its own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import structlog

from worker.collect.apart import Apart
from worker.collect.tables import Table

log = structlog.get_logger(__name__)


class DayMaker:
    """What one process has not done is done by the next."""

    def __init__(self) -> None:
        self._apart = Apart("worker.collect.sinks.days")

    def begin(self, folder: Path, table: Table, cluster: str, now: datetime) -> None:
        """Begin, unless one is still at work."""
        if self._apart.is_at_work:
            return
        if code := self._apart.ended():
            log.warning("files of samples were not put together; they are tried again", cluster=cluster, exit_code=code)
        self._apart.begin(str(folder), table.name, cluster, now.isoformat())

    def wait(self, seconds: float) -> int:
        """Until it has ended; returns its exit status, 0 where there is none."""
        return self._apart.wait(seconds)
