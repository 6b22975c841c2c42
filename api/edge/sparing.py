"""A rate limit for log lines that strangers can cause: so many a minute, then only how many were left out."""

from __future__ import annotations

import threading
import time
from collections import Counter

from structlog.stdlib import BoundLogger

LINES, SECONDS = 60, 60.0


class SparingLog:
    """Warnings in front of a logger, of each event at most LINES within SECONDS; may be used by several threads."""

    def __init__(self, log: BoundLogger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._began = 0.0  # by the monotonic clock
        self._happened: Counter[str] = Counter()

    def warning(self, event: str, **about: object) -> None:
        """Tell what happened, if there is room for a line."""
        self.catch_up()
        with self._lock:
            self._happened[event] += 1
            has_room = self._happened[event] <= LINES
        if has_room:
            self._log.warning(event, **about)

    def catch_up(self) -> None:
        """Once the time has passed there is room again; say first how many lines were left out in it."""
        with self._lock:
            if time.monotonic() - self._began < SECONDS:
                return
            happened, self._happened, self._began = self._happened, Counter(), time.monotonic()
        for event, number in happened.items():
            if number > LINES:
                self._log.warning(event, left_out=number - LINES)
