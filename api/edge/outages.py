"""Broker and store while they are away: said when it begins and when it is over, however many requests and probes meet it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import structlog

from shared.errors import BrokerAway, QueuecastError, StoreAway
from shared.telemetry.said_once import Outage

LOOK_EVERY_SECONDS = 5.0  # since it was met; a request that looks waits for a second at most
SERVICES: dict[str, type[QueuecastError]] = {"broker": BrokerAway, "store": StoreAway}

log = structlog.get_logger(__name__)


class Outages:
    """Those of one process; may be used by several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._of = {name: Outage(log, f"the {name} is away", f"the {name} is back") for name in SERVICES}
        self._clock = clock
        self._lock = threading.Lock()
        self._look_at = 0.0

    def met(self, error: QueuecastError) -> bool:
        """Note that a service is away; whether the error says so of one of these."""
        name = next((name for name, family in SERVICES.items() if isinstance(error, family)), None)
        if name is None:
            return False
        self._look_at = self._clock() + LOOK_EVERY_SECONDS
        self._of[name].met(error)
        return True

    @contextmanager
    def noted(self, away: type[QueuecastError]) -> Iterator[None]:
        """Inside, the service that is away ends what is done there, and no more."""
        try:
            yield
        except away as error:
            self.met(error)

    def over(self, name: str) -> None:
        """The service has answered."""
        self._of[name].over()

    def look(self, checks: Mapping[str, Callable[[], None]]) -> None:
        """Ask those that were away, now and then: not every service is probed."""
        away = [name for name, outage in self._of.items() if outage.is_on]
        if not away or not self._is_time():
            return
        for name in away:
            try:
                checks[name]()
            except QueuecastError as error:
                self.met(error)
            else:
                self.over(name)

    def _is_time(self) -> bool:
        with self._lock:
            if self._clock() < self._look_at:
                return False
            self._look_at = self._clock() + LOOK_EVERY_SECONDS
            return True
