"""Trying again for a limited time: a task that waits for the broker must not run into its own time limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from redis.backoff import ExponentialBackoff
from redis.retry import Retry

PATIENCE_SECONDS = 25.0  # far below the soft limit of a task, after which a queue would have failed

Answer = TypeVar("Answer")

_is_trying = ContextVar("is_trying", default=False)


class Patience(Retry):
    """Tries again until PATIENCE_SECONDS have passed, whatever is tried within what.

    redis-py connects, with all tries that there are, within each try of a command: a connection that was lost would be waited for
    26 times 25 seconds.
    """

    def __init__(self) -> None:
        super().__init__(ExponentialBackoff(cap=1.0, base=0.05), 25)

    def call_with_retry(
        self,
        do: Callable[[], Answer],
        fail: Callable[..., object],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Answer:
        """What `do` gives; raises the last error when the time is up. Within another try it is one try."""
        if _is_trying.get():
            return do()
        token, until, failures = _is_trying.set(True), time.monotonic() + PATIENCE_SECONDS, 0
        try:
            while True:
                try:
                    return do()
                except self._supported_errors as error:
                    if is_retryable and not is_retryable(error):
                        raise
                    failures += 1
                    fail(error, failures) if with_failure_count else fail(error)
                    pause = self._backoff.compute(failures)
                    if time.monotonic() + pause > until:
                        raise
                time.sleep(pause)
        finally:
            _is_trying.reset(token)
