"""One event, one line: what a library says again and again, or after us, is left out; an outage is its beginning and its end."""

from __future__ import annotations

import logging

from shared.domain.wording import counted
from shared.errors import ServiceError

AGAIN = ("consumer: Cannot connect to", "Failed to capture events", "consumer: Connection to broker lost")
BACK = "Connected to"
OURS = ("Skipping prefetch count reduction", "Task %(name)s[%(id)s] retry")  # we say which service is away
PLANS = "CPendingDeprecationWarning"  # Celery's own, which it lets nobody ignore
LIBRARIES = (
    *("celery.app.trace", "celery.worker.consumer.connection", "celery.worker.consumer.consumer"),
    *("flower.events", "kombu.mixins", "py.warnings"),
)


class SaidOnce(logging.Filter):
    """Of the libraries of one process: what was said of an outage is counted, and told when the connection is back."""

    def __init__(self) -> None:
        super().__init__()
        self._times = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        text = _begins(record)
        if text.startswith(BACK):
            record.msg = f"{record.msg}, after {counted(self._times, 'failure')}" if self._times else record.msg
            self._times = 0
        if text.startswith(AGAIN):
            self._times += 1
            return self._times == 1
        return not text.startswith(OURS) and PLANS not in text and not _is_service_away(record)


class Outage:
    """Of a service that a process of ours needs: said when it begins, and when it is over, with how often it was met."""

    def __init__(self, log: logging.Logger, waits: str, goes_on: str) -> None:
        self._log, self._waits, self._goes_on = log, waits, goes_on
        self._times = 0

    def met(self, error: ServiceError) -> None:
        """It is away, or still is."""
        self._times += 1
        if self._times == 1:
            self._log.warning(self._waits, extra={"reason": str(error)})

    def over(self) -> None:
        """It has answered."""
        if self._times:
            self._log.info(self._goes_on, extra={"times": self._times})
        self._times = 0


def _begins(record: logging.LogRecord) -> str:
    """How the line begins, before its arguments are filled in."""
    if str(record.msg).startswith("%s") and isinstance(record.args, tuple) and record.args:
        return str(record.args[0])
    return str(record.msg)


def _is_service_away(record: logging.LogRecord) -> bool:
    """A task that gives up waiting: the line before has said so, and whoever calls it again goes on."""
    return record.exc_info is not None and isinstance(record.exc_info[1], ServiceError)
