"""Source: read(query) → a frame. The promise, stated once; tests/worker/sources/test_every_source.py holds every source to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import pandas as pd

from shared.config.connection import Connection
from shared.domain.losses import Loss
from shared.domain.places import Place
from shared.domain.samples import Aggregation, CsvForm, Limits, Where
from shared.domain.stepped import Stepped
from shared.domain.timegrid import MINUTE
from shared.errors import DataError, UnreadableData

HELD_BEFORE = timedelta(days=1)
LOOK_BACK = timedelta(days=28)  # before the end of a history: so much, where there is so much, lets models learn weeks
NO_LIMIT = (2147483647.0, 4294967295.0, 9223372036854775807.0, 18446744073709551615.0)  # where there is none, and -1 unsigned
MAX_QUEUES = 100_000  # names at one place: more than any job may ask for
MAX_SAMPLES = 10_000_000  # of one queue, where they are read one by one
MAX_UNNAMED = 200  # columns that are read although nobody has named them
MAX_CELLS = 20_000_000  # steps × columns of one queue


MAX_STEPS_BYTES = 1 << 20  # of all queues that are read together, which are kept until the last of them is ingested
MAX_TOGETHER = 1_000  # queues

LIMITS = ("absolutecapacity", "absolutemaxcapacity", "guaranteed", "maximum")  # begin plain names of YARN's own limits
USAGE = ("used", "absoluteused", "demand", "allocated")  # and those of what they limit


def plain(name: str) -> str:
    """A column's name without folders and underscores, in small letters: `absolutecapacity`."""
    return name.rpartition(".")[2].replace("_", "").lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Stepped):
    """What to read of one queue: whole buckets in [start, end). Fields named as in a request mean what they mean there."""

    place: Place
    queue: str  # "" = all of them, which `Source.queues` and `Source.check` take
    queue_fields: tuple[str, ...]  # of several the values make up the name, with / between
    time_field: str
    target: str | None  # None = covariates only: every column counts, and none of them must be there
    columns: tuple[str, ...] | None  # further columns; None = every numeric one
    start: datetime  # both on a bucket's border, aware UTC
    end: datetime
    step_seconds: int
    aggregation: Aggregation
    where: Where = field(default_factory=dict)
    samples_timezone: str | None = None
    timezone: str = "UTC"  # of the request's calendar: whose days steps of whole days are
    csv: CsvForm = field(default_factory=CsvForm)
    missing_values: tuple[float, ...] = ()
    physical_range: tuple[float | None, float | None] = (None, None)  # of the target; None = open
    limits: Limits = field(default_factory=Limits)
    queues_from_columns: bool = False
    wished: tuple[str, ...] = ()  # columns that are read where they are there, though `columns` does not name them
    is_one_thing: bool = False  # whether rows of a queue are known to be of one thing: nobody looks whether they are of several
    is_former: bool = False  # whether it is what a queue was called before: then it is gone, and is read all the same
    history_start: datetime | None = None  # of the whole history, of which this may be the newest part; None = `start`

    @property
    def queue_field(self) -> str:
        """The first column that names the queue."""
        return self.queue_fields[0]

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that must be there, the target first; those of the limits among them."""
        targets = [] if self.target is None else [self.target]
        return tuple(dict.fromkeys((*targets, *(self.columns or ()), *self.limits.columns)))

    @property
    def may_have_limits(self) -> bool:
        """Whether YARN's own columns may say what the queue has and can get, and the request does not say all of it."""
        is_usage = self.target is not None and plain(self.target).startswith(USAGE)
        return is_usage and None in {self.limits.guaranteed, self.limits.maximum}

    def may_be_limit(self, name: str) -> bool:
        """Whether a column of this name is read for that, or is wished for, though nobody has named it."""
        is_limit = self.may_have_limits and plain(name).startswith(LIMITS)
        return (is_limit or name in self.wished) and name not in self.required

    @property
    def history(self) -> str:
        """The history asked for, as a message about its absence ends."""
        return (
            f"the history asked for, {self.start:{MINUTE}} to {self.end:{MINUTE}}; a job looks back from `as_of` (default: now)"
        )

    @property
    def holds(self) -> bool:
        """Whether a value holds until the next one, so that every sample is needed with its time."""
        return self.aggregation is Aggregation.TIME_WEIGHTED_MEAN

    @property
    def known_from(self) -> datetime:
        """From when on samples count: what was said up to a day before the history may still hold in it."""
        return self.start - HELD_BEFORE if self.holds else self.start

    @property
    def earlier(self) -> Query | None:
        """The time before the history whose samples would let models learn weeks; None = the history is long enough."""
        first = self.end - LOOK_BACK
        return replace(self, start=first, end=self.start) if self.target and first < self.start else None

    def judged(self, columns: Iterable[str]) -> list[str]:
        """Of these columns those of which one must have a number, else a row is not usable: the target, if there is one."""
        return [self.target] if self.target else list(columns)

    def chosen(self, unnamed: Collection[str]) -> tuple[str, ...]:
        """The columns to read: those required, and the numeric ones that nobody has named, unless these are too many.

        Raises:
            UnreadableData: they are, and nothing else would be read.
        """
        note = self.note_unnamed(len(unnamed))
        if note and not self.target:
            raise UnreadableData(note)
        return self.required if note else tuple(dict.fromkeys((*self.required, *unnamed)))

    def note_unnamed(self, count: int) -> str | None:
        """What to say when too many columns come along that nobody has named: none of them is read. None = not too many."""
        steps = max(1, self.grid.steps_between(self.start, self.end))
        accepted = min(MAX_UNNAMED, MAX_CELLS // steps)
        if count <= accepted:
            return None
        most = f"more than the {accepted} that are read without being named"
        return f"{count:,} columns that nobody asked for, {most}: left out; name in `columns` those that matter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a source gives.

    frame: index = starts of steps (UTC, tz-aware, sorted, unique), one float column each for target and covariates;
        steps without a usable sample are absent rows or NaN, never zero.
    rows, duplicates, non_finite: raw rows read in [start, end), rows whose timestamp came again, values that are not finite.
    regressors: columns whose future is known, likewise; also of steps after those of the frame.
    newest_at: when the newest sample with a number of the target was taken; None = there is no target.
    oldest_at: when a sample before the history was taken, the oldest that was seen by the way; None = none was seen.
    losses: rows and cells of the queue that were left out and should not have been there.
    beside: of the same steps what tells how to take the target, often nothing: its other statistic, `mean` or `p95`; in its unit
        what was `used` and `pending`; the shares of the step in which it was `saturated`, and applications were `waiting`.
    notes: what else the source had to leave out, in plain words.
    advice: what its owner could do for it, such as the command that makes a missing index.
    """

    frame: pd.DataFrame
    rows: int
    regressors: pd.DataFrame = field(default_factory=pd.DataFrame)
    beside: pd.DataFrame = field(default_factory=pd.DataFrame)
    duplicates: int = 0
    non_finite: int = 0
    newest_at: datetime | None = None
    oldest_at: datetime | None = None
    losses: tuple[Loss, ...] = ()
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


def fitting_together(query: Query, columns: int) -> int:
    """The steps of how many queues of so many columns may be kept at a time."""
    steps = max(1, query.grid.steps_between(query.start, query.end))
    return MAX_STEPS_BYTES // (8 * steps * (columns + 1))


def check_count(names: Sized, field: str) -> None:
    """Raises UnreadableData for more queues than any job may have: the field is hardly one of queues."""
    if len(names) > MAX_QUEUES:
        found = f"found more than {MAX_QUEUES:,} names in {field!r}"
        raise UnreadableData(f"{found}, which are more than a place may have; say in `queue_field` which column names the queues")


def raise_all(faults: Sequence[DataError]) -> None:
    """Raises one error for all faults of a place: whoever mends it wants to know every one of them."""
    if faults:
        raise type(faults[0])("; ".join(dict.fromkeys(fault.detail for fault in faults)), **faults[0].ids)


class Source(Protocol):
    """Somebody's database, read only. Raises DataError for what its owner has to mend, CredentialsRefused, SourceAway.

    SourceAway means that trying again may help: it cannot be reached, or is too slow.
    """

    def __init__(self, connection: Connection) -> None:
        """Open lazily: no input or output here."""
        ...

    def queues(self, query: Query) -> list[str]:
        """Every queue that the query's rows have, sorted; raises SourceNotFound when there is no such place or column."""
        ...

    def check(self, query: Query) -> SourceView:
        """Look without reading: reachable, allowed, there, with the columns asked for; raises as `read` does, but EmptySeries."""
        ...

    def read(self, query: Query) -> Reading:
        """The resampled history of one queue; raises SourceNotFound, EmptySeries, UnreadableData."""
        ...


@runtime_checkable
class ScannedSource(Source, Protocol):
    """A source that must look at all of a place whatever the queue: it does so once for many of them."""

    def scan(self, query: Query, names: Sequence[str]) -> Iterator[tuple[str, Reading | DataError]]:
        """What `read` gives or raises for each of the queues, in any order; raises what is true of the place as a whole."""
        ...

    def read(self, query: Query) -> Reading:
        """The resampled history of one queue: what a scan gives of it, unless the source has a shorter way."""
        [(_, reading)] = self.scan(query, [query.queue])
        if isinstance(reading, DataError):
            raise reading
        return reading

    def together(self, query: Query, queues: int) -> int:
        """How many queues one scan should be for, of so many that there are: it takes seconds, and what it gives a few MB.

        0 = each is read by itself, as there it costs no more.
        """
        ...
