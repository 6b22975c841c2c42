"""SampleSink: rows of the tables, written again and again as often as anybody likes. The promise, stated once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.collected import Series
from worker.collect.tables import Row, Table


class SampleSink(Protocol):
    """What was written is there when `write` returns, and stays whatever becomes of the process.

    All raise SinkAway, SinkRefused or CredentialsRefused; whoever met the first may try again.
    """

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        """Keep rows; one that has the time and the tags of one that is there takes its place. No rows change nothing."""

    def read(self, table: Table, cluster: str, start: datetime, end: datetime) -> list[Row]:
        """The rows of a cluster in [start, end), in any order."""

    def series(
        self, cluster: str, columns: Sequence[str], start: datetime, end: datetime, *, queues: Sequence[str] | None = None
    ) -> list[Series]:
        """Some columns of the five minutes in [start, end) of some queues, None = all; none of a queue that has no row there."""

    def forget(self, table: Table, cluster: str, before: datetime) -> None:
        """Let go of what is older; some of it may stay for another day."""

    def tidy(self, table: Table, cluster: str, now: datetime) -> None:
        """Put together what lies in many pieces; nothing is lost or doubled if that is cut off."""
