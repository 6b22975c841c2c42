"""When reports of a cluster's queues are due: once a day, and an hour after a failure; another process makes them."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from shared.config.settings import PREFIX, Settings
from shared.errors import QueuecastError, ServiceError
from shared.store import Store
from shared.telemetry.said_once import Outage
from worker.collect.apart import Apart

EVERY, REST = timedelta(days=1), timedelta(hours=1)

log = structlog.get_logger(__name__)


class DailyReports:
    """Of one cluster; used by one thread."""

    def __init__(self, settings: Settings, store: Store, samples: str, cluster: str) -> None:
        """samples: the connection that has them."""
        self._store, self._samples, self._cluster = store, samples, cluster
        self._apart = Apart("worker.collect.reporting", {f"{PREFIX}DATA_DIR": str(settings.data_dir)})
        self._outage = Outage(log.bind(cluster=cluster), "reports of queues are not made", "reports of queues are made again")
        self._due_at: datetime | None = None  # None = it is not known when the last ones were made

    def go_on(self, at: datetime) -> None:
        """Begin them, if any are due; raises nothing."""
        if self._apart.is_at_work:
            return
        try:
            self._go_on(at)
        except QueuecastError as error:
            self._outage.met(error)
            self._due_at = at + REST

    def forget_what_was_known(self) -> None:
        """Another process may have made them meanwhile."""
        self._due_at = None

    def wait(self, seconds: float) -> int:
        """Until those that are being made are there; returns the exit status."""
        return self._apart.wait(seconds)

    def end(self) -> None:
        """Cut off those that are being made: whoever collects next makes them."""
        self._apart.end()

    def _go_on(self, at: datetime) -> None:
        code = self._apart.ended()
        if code:
            raise ServiceError(f"the process that makes them ended with {code}")
        if code == 0:
            self._outage.over()
            self._due_at = self._due(nothing_yet=at + REST)  # of a new cluster, of which nothing is put together yet
        if self._due_at is None:
            self._due_at = self._due(nothing_yet=at)
        if at >= self._due_at:
            self._apart.begin(self._samples, self._cluster, at.isoformat())

    def _due(self, *, nothing_yet: datetime) -> datetime:
        last = self._store.usages.newest_at(self._cluster)
        return nothing_yet if last is None else last + EVERY
