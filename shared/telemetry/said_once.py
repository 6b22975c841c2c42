"""One event, one line: what a library says again and again, or after us, is left out; an outage is its beginning and its end."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from shared.domain.wording import counted
from shared.errors import QueuecastError, ServiceError

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

AGAIN = ("consumer: Cannot connect to", "Failed to capture events", "consumer: Connection to broker lost")
BACK = "Connected to"
DONE = "Task %(name)s[%(id)s] succeeded in"
OURS = ("Skipping prefetch count reduction", "Task %(name)s[%(id)s] retry", "Rate limit storage")  # we say which service is away
NOBODY = "Inspect method %s failed"  # no worker has answered Flower, which asks before there is one
OF_NO_CONCERN = (  # warnings, wherever in the line they stand
    "CPendingDeprecationWarning",  # Celery's plans, which it lets nobody ignore
    "SecurityWarning: You're running the worker with superuser privileges",  # of pickles, which we accept from nobody
)
KILLED = {"WorkerLostError", "TimeLimitExceeded"}  # of a child: the line before has said so, of the limit with its task
LIBRARIES = (
    *("celery.app.trace", "celery.worker.request", "celery.worker.consumer.connection", "celery.worker.consumer.consumer"),
    *("flask-limiter", "flower.events", "flower.inspector", "kombu.mixins", "py.warnings"),
)


class SaidOnce(logging.Filter):
    """Of the libraries of one process: what was said of an outage is counted, and told when the connection is back."""

    def __init__(self) -> None:
        super().__init__()
        self._times = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        text = _begins(record)
        if text.startswith(DONE):
            _shorten(record)
        if text.startswith(BACK):
            record.msg = f"{record.msg}, after {counted(self._times, 'failure')}" if self._times else record.msg
            self._times = 0
        if text.startswith(AGAIN):
            self._times += 1
            return self._times == 1
        is_left_out = text.startswith(OURS) or text == NOBODY or any(warning in text for warning in OF_NO_CONCERN)
        return not is_left_out and not _is_service_away(record) and not _is_of_killed(record)


class Outage:
    """Of a service that a process of ours needs: said when it begins, and when it is over, with how often it was met."""

    def __init__(self, log: BoundLogger, waits: str, goes_on: str) -> None:
        self._log, self._waits, self._goes_on = log, waits, goes_on
        self._lock = threading.Lock()
        self._times = 0
        self._began = 0.0  # by the monotonic clock
        self._said: set[type[QueuecastError]] = set()

    @property
    def is_on(self) -> bool:
        """Whether it was away when last heard of."""
        return self._times > 0

    def met(self, error: QueuecastError) -> None:
        """It is away, or still is; that it is so for another reason is said too."""
        with self._lock:
            self._began = self._began if self._times else time.monotonic()
            self._times += 1
            is_said = type(error) in self._said
            self._said.add(type(error))
        if not is_said:
            self._log.warning(self._waits, reason=str(error))

    def over(self) -> None:
        """It has answered."""
        with self._lock:
            times, seconds = self._times, time.monotonic() - self._began
            self._times = 0
            self._said.clear()
        if times:
            self._log.info(self._goes_on, times=times, seconds=round(seconds, 1))


def _shorten(record: logging.LogRecord) -> None:
    """That a task has ended, with milliseconds at most, and without what it returns, which is nothing."""
    if isinstance(about := record.args, dict) and isinstance(seconds := about.get("runtime"), float):
        record.msg = f"{DONE} %(runtime).3fs"
        about["runtime"] = round(seconds, 3)  # Celery's own fields of the line are the same ones
        about.pop("return_value", None)


def _begins(record: logging.LogRecord) -> str:
    """How the line begins, before its arguments are filled in."""
    if str(record.msg).startswith("%s") and isinstance(record.args, tuple) and record.args:
        return str(record.args[0])
    return str(record.msg)


def _is_service_away(record: logging.LogRecord) -> bool:
    """A task that gives up waiting: the line before has said so, and whoever calls it again goes on."""
    return record.exc_info is not None and isinstance(record.exc_info[1], ServiceError)


def _is_of_killed(record: logging.LogRecord) -> bool:
    """What became of the task of a child that was killed, without its name."""
    return isinstance(record.args, tuple) and any(type(value).__name__ in KILLED for value in record.args)
