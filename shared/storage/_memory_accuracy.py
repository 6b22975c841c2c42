"""Accuracy in this process's memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from threading import RLock
from typing import TypeVar

from shared.accuracy import Accuracy, AccuracyFilter, ErrorSums

K = TypeVar("K")
Key = tuple[str, str, str, datetime, int]


class MemoryAccuracies:
    """The part of MemoryStore that keeps accuracy. Promises: shared/storage/accuracy.py."""

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self.records: dict[Key, Accuracy] = {}

    def save(self, records: Sequence[Accuracy]) -> None:
        """Keep records; the same key again replaces the earlier one."""
        with self._lock:
            self.records |= {(each.queue, each.metric, each.job, each.issued_at, each.first_step): each for each in records}

    def of_queue(self, queue: str, wanted: AccuracyFilter, limit: int) -> list[Accuracy]:
        """Records of the queue, the newest issue first; at most `limit`."""
        found = sorted(self._matching(wanted, queue), key=lambda each: (each.job, each.first_step))
        return sorted(found, key=lambda each: each.issued_at, reverse=True)[:limit]

    def by_lead(self, queue: str, wanted: AccuracyFilter) -> dict[int, ErrorSums]:
        """First step of a lead → its sums over all forecasts of the queue."""
        return dict(sorted(_added(self._matching(wanted, queue), lambda each: each.first_step).items()))

    def by_queue(self, wanted: AccuracyFilter) -> dict[str, ErrorSums]:
        """Queue → its sums over all its forecasts and leads."""
        found = self._matching(wanted)
        once = [each if each.first_step == 1 else replace(each, sums=replace(each.sums, forecasts=0)) for each in found]
        return _added(once, lambda each: each.queue)

    def _matching(self, wanted: AccuracyFilter, queue: str | None = None) -> list[Accuracy]:
        with self._lock:
            return [
                each
                for each in self.records.values()
                if (each.metric, each.step_seconds) == (wanted.metric, wanted.step_seconds)
                and wanted.since <= each.issued_at < wanted.until
                and queue in {None, each.queue}
                and wanted.job in {None, each.job}
            ]


def _added(records: Sequence[Accuracy], key: Callable[[Accuracy], K]) -> dict[K, ErrorSums]:
    found: dict[K, ErrorSums] = {}
    for each in records:
        found[key(each)] = found.get(key(each), ErrorSums()) + each.sums
    return {name: sums for name, sums in found.items() if sums.steps}
