"""Hours and days of Parquet files are put together by a process of its own: no look waits for it, and its memory ends with it."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import structlog

from worker.collect.tables import Table

PROGRAM = "worker.collect.sinks.days"

log = structlog.get_logger(__name__)


class DayMaker:
    """One process at a time; what it has not done is done by the next. Cut off it leaves what there was."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, folder: Path, table: Table, cluster: str, now: datetime) -> None:
        """Begin, unless it is still at work."""
        if self._process is not None and (code := self._process.poll()) is None:
            return
        if self._process is not None and code:
            log.warning("files of samples were not put together; they are tried again", cluster=cluster, exit_code=code)
        told = [str(folder), table.name, cluster, now.isoformat()]
        self._process = subprocess.Popen([sys.executable, "-m", PROGRAM, *told], stdin=subprocess.DEVNULL)  # noqa: S603 - ours

    def wait(self, seconds: float) -> int:
        """Until it has ended; returns its exit status, 0 where there is none."""
        return self._process.wait(seconds) if self._process is not None else 0
