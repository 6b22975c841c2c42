"""Accuracies: the part of the store that knows how issued forecasts compare with what happened since, said once.

The promises of shared/storage/base.py hold here too. One contract suite runs on every store:
tests/shared/storage/test_every_accuracy_store.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.accuracy import Accuracy, AccuracyFilter, ErrorSums


class Accuracies(Protocol):
    """One record per lead of an issued forecast."""

    def save(self, records: Sequence[Accuracy]) -> None:
        """Keep records; the same (queue, metric, job, issued_at, first_step) again replaces the earlier one."""
        ...

    def of_queue(self, queue: str, wanted: AccuracyFilter, limit: int) -> list[Accuracy]:
        """Records of the queue, the newest issue first, within an issue by job and lead; at most `limit`."""
        ...

    def by_lead(self, queue: str, wanted: AccuracyFilter) -> dict[int, ErrorSums]:
        """First step of a lead → its sums over all forecasts of the queue, by lead; a lead without scored steps is absent."""
        ...

    def by_queue(self, wanted: AccuracyFilter) -> dict[str, ErrorSums]:
        """Queue → its sums over all its forecasts and leads, where `forecasts` counts those that reached the first lead."""
        ...
