"""Source: read(query) → a frame. The promise, stated once; tests/worker/sources/test_every_source.py holds every source to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pandas as pd

from shared.jobs import Aggregation, Place
from shared.settings import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to read of one queue: whole buckets in [start, end)."""

    place: Place
    queue: str
    queue_field: str
    time_field: str
    target: str
    columns: tuple[str, ...] | None  # None = every numeric column
    start: datetime  # both on a bucket's border, aware UTC
    end: datetime
    step_seconds: int
    aggregation: Aggregation


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a source gives.

    frame: index = starts of steps (UTC, tz-aware, sorted, unique), one float column per metric, the target among them; steps
        without a usable sample are absent rows or NaN, never zero.
    rows, duplicates, non_finite: raw rows read in [start, end), rows whose timestamp came again, values that are not finite.
    notes: what else the source had to leave out, in plain words.
    """

    frame: pd.DataFrame
    rows: int
    duplicates: int = 0
    non_finite: int = 0
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """Somebody's database, read only. Raises DataError for what its owner has to mend, SourceAway when it cannot be reached."""

    def __init__(self, connection: Connection) -> None:
        """Open lazily: no input or output here."""
        ...

    def queues(self, place: Place, queue_field: str) -> list[str]:
        """Every queue at this place, sorted; raises SourceNotFound when there is no such place or column."""
        ...

    def read(self, query: Query) -> Reading:
        """The resampled history of one queue; raises SourceNotFound, EmptySeries, UnreadableData."""
        ...
