"""Source: read(query) → a frame. The promise, stated once; tests/worker/sources/test_every_source.py holds every source to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pandas as pd

from shared.connections import Connection
from shared.jobs import Aggregation, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to read of one queue: whole buckets in [start, end)."""

    place: Place
    queue: str  # "" = all of them, which only `Source.check` takes
    queue_field: str
    time_field: str
    target: str | None  # None = companions only: every column counts, and none of them must be there
    columns: tuple[str, ...] | None  # further columns; None = every numeric one
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
    advice: what its owner could do for it, such as the command that makes a missing index.
    """

    frame: pd.DataFrame
    rows: int
    duplicates: int = 0
    non_finite: int = 0
    notes: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """What a look at a source showed, without reading its rows: all that `validate` and `doctor` tell a person."""

    queues: tuple[str, ...]
    columns: tuple[str, ...]  # numeric, as far as they were looked at; the target among them
    start_at: datetime | None  # first and last sample in the history asked for; None = there is none
    end_at: datetime | None
    notes: tuple[str, ...] = ()  # advice in plain words: a missing index and the command that makes it


class Source(Protocol):
    """Somebody's database, read only. Raises DataError for what its owner has to mend, CredentialsRefused, SourceAway.

    SourceAway means that trying again may help: it cannot be reached, or is too slow.
    """

    def __init__(self, connection: Connection) -> None:
        """Open lazily: no input or output here."""
        ...

    def queues(self, place: Place, queue_field: str) -> list[str]:
        """Every queue at this place, sorted; raises SourceNotFound when there is no such place or column."""
        ...

    def check(self, query: Query) -> SourceView:
        """Look without reading: reachable, allowed, there, with the columns asked for; raises as `read` does, but EmptySeries."""
        ...

    def read(self, query: Query) -> Reading:
        """The resampled history of one queue; raises SourceNotFound, EmptySeries, UnreadableData."""
        ...
