"""What the store answered a moment ago, so that most requests need no read of it. Each process remembers for itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Generic, TypeVar

import structlog

from shared.errors import StoreAway

LIFE_SECONDS = 2.0  # within it, what another process has changed is seen
STALE_SECONDS = 3_600.0  # how long the last answer counts while the store is away: metrics are wanted most then
MAX_ENTRIES = 10_000  # beyond it the memory is emptied, and all is read again

V = TypeVar("V")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry(Generic[V]):
    """An answer. Times are seconds of the monotonic clock."""

    value: V
    answered_at: float  # when the store was asked for this answer
    tried_at: float  # when the store was last asked, whether it answered or not


class Remembered(Generic[V]):
    """A cache in front of `read`, by key; safe for threads, which may read at the same time.

    Args:
        read: asks the store; None = there is nothing of this key, which is not remembered. May raise StoreAway.
        clock: seconds, never going back.
    """

    def __init__(self, read: Callable[[str], V | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._lock = Lock()  # never held while the store is asked
        self._entries: dict[str, _Entry[V]] = {}
        self._forgotten = 0  # how many times forget() was called

    def get(self, key: str, max_age_seconds: float = LIFE_SECONDS) -> V | None:
        """What the store said at most that long ago; raises StoreAway when it has been away for STALE_SECONDS."""
        asked_at, known, forgotten = self._clock(), self._entries.get(key), self._forgotten
        if known is not None and asked_at < known.tried_at + max_age_seconds:
            return known.value
        try:
            value = self._read(key)
        except StoreAway as error:
            if known is None or self._clock() > known.answered_at + STALE_SECONDS:
                raise
            log.debug("the store is away; its last answer counts", error=str(error))  # who needs the store says it
            entry: _Entry[V] | None = replace(known, tried_at=self._clock())
        else:
            entry = None if value is None else _Entry(value=value, answered_at=asked_at, tried_at=asked_at)
        self._keep(key, entry, forgotten)
        return entry.value if entry else None

    def forget(self, key: str) -> None:
        """Ask the store again the next time."""
        with self._lock:
            self._forgotten += 1
            self._entries.pop(key, None)

    def _keep(self, key: str, entry: _Entry[V] | None, forgotten: int) -> None:
        """Remember an answer, unless something was forgotten since the store was asked: it may be this."""
        with self._lock:
            if len(self._entries) >= MAX_ENTRIES:
                self._entries.clear()
            self._entries.pop(key, None)
            if entry is not None and forgotten == self._forgotten:
                self._entries[key] = entry
