"""The tables: for each kind of record its key, the columns that can be asked for, and the value it becomes.

A new kind of record is one entry here and a part of the store beside this file. A column is a copy of what the value says, so
that a database can find, order and add up; the value itself is the `document`, as JSON. Records of which there are millions are
their columns and have no document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from shared.domain.accuracy import SUMS, Accuracy
from shared.domain.forecasts import Forecast, Outcome
from shared.domain.jobs import Job
from shared.domain.reports import Actual, QueueReport
from shared.domain.schedules import Schedule
from shared.domain.series import Series
from shared.domain.tokens import Session, Token
from shared.errors import JobNotFound, NotFound, QueueNotFound, ScheduleNotFound, TokenNotFound

T = TypeVar("T")

DOCUMENT = "document"


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    WHOLE = "whole number"
    REAL = "number"
    FLAG = "flag"  # 0 or 1
    GRID = "moment on a series' grid"  # whole seconds since 1970, UTC, as in every other place we write
    CLOCK = "moment of the wall clock"  # microseconds since 1970, UTC, since records are ordered by it


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, what it holds, and the attribute of the value it is a copy of.

    path: names with dots between; "" = the name of the column.
    may_lack: whether a record may have no value there.
    """

    name: str
    kind: Kind = Kind.TEXT
    path: str = ""
    may_lack: bool = False

    @property
    def attribute(self) -> str:
        """The attribute, with dots where it is one of an attribute."""
        return self.path or self.name


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # each is one of a kind
class Table(Generic[T]):
    """One kind of record.

    value: the class of its values.
    key: columns; unique: further columns that no two records share, unless one of them lacks a value.
    indexes: columns of further indexes.
    newest: by which columns a record is newer than another of its group, the first one before the others.
    missing: raised when no record has a key.
    """

    name: str
    value: type[T]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    unique: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    newest: tuple[str, ...] = ()
    missing: type[NotFound] = NotFound
    has_document: bool = True
    by_name: dict[str, Column] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReport:
    """A report without its outcomes, and how many these are: those of a higher rank are left from an earlier one."""

    report: QueueReport
    outcomes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One outcome of a leaderboard; 0 is the best."""

    job_id: str
    queue: str
    rank: int
    outcome: Outcome


_SERIES = (
    *(Column("series_id"), Column("queue"), Column("metric"), Column("project"), Column("cluster")),
    *(Column("period_seconds", Kind.WHOLE, "step_seconds"), Column("aggregation")),
)
_ISSUE = (Column("job"), Column("issued_at", Kind.GRID), Column("job_id"), Column("created_at", Kind.CLOCK), Column("model"))
_COUNTS = ("forecasts", "steps", "relative_steps", "covered_steps", "compared_steps")

JOBS = Table(
    name="jobs",
    value=Job,
    columns=(
        Column("job_id"),
        Column("state"),
        Column("owner", path="request.owner"),
        Column("project", path="request.project"),
        Column("user_name", path="request.user_name"),
        Column("account"),
        Column("max_candidates", Kind.WHOLE, "request.max_candidates"),
        Column("client"),
        Column("idempotency_key", may_lack=True),
        Column("created_at", Kind.CLOCK),
        Column("ended_at", Kind.CLOCK, may_lack=True),
    ),
    key=("job_id",),
    unique=("client", "idempotency_key"),
    indexes=(
        ("created_at", "job_id"),
        *((name, "created_at", "job_id") for name in ("state", "owner", "project", "user_name")),
        ("account", "state"),
    ),
    missing=JobNotFound,
)
REPORTS = Table(
    name="reports",
    value=KeptReport,
    columns=(
        Column("job_id", path="report.job_id"),
        Column("queue", path="report.queue"),
        Column("state", path="report.state"),
        Column("winner", path="report.winner.model", may_lack=True),
    ),
    key=("job_id", "queue"),
    indexes=(("queue", "winner"), ("winner",)),
    missing=QueueNotFound,
)
OUTCOMES = Table(
    name="outcomes",
    value=Ranked,
    columns=(Column("job_id"), Column("queue"), Column("rank", Kind.WHOLE)),
    key=("job_id", "queue", "rank"),
)
FORECASTS = Table(
    name="forecasts",
    value=Forecast,
    columns=(*_SERIES, *_ISSUE),
    key=("series_id", "job", "issued_at", "job_id"),
    indexes=(("queue", "metric"), ("job_id",), ("created_at",)),
    newest=("issued_at", "created_at", "job_id"),
    missing=QueueNotFound,
)
SERIES = Table(
    name="series",
    value=Series,
    columns=_SERIES,
    key=("series_id",),
    indexes=(("queue", "metric"),),
)
ACTUALS = Table(
    name="actuals",
    value=Actual,
    columns=(Column("series_id"), Column("timestamp", Kind.GRID), Column("value", Kind.REAL)),
    key=("series_id", "timestamp"),
    has_document=False,
)
ACCURACY = Table(
    name="accuracy",
    value=Accuracy,
    columns=(
        Column("series_id"),
        *_ISSUE,
        Column("first_step", Kind.WHOLE),
        Column("is_final", Kind.FLAG),
        *(Column(name, Kind.WHOLE if name in _COUNTS else Kind.REAL, f"sums.{name}") for name in SUMS),
    ),
    key=("series_id", "job", "issued_at", "job_id", "first_step"),
    indexes=(("created_at",),),
    has_document=False,
)
SCHEDULES = Table(
    name="schedules",
    value=Schedule,
    columns=(Column("schedule_id"), Column("account"), Column("project", path="request.project")),
    key=("schedule_id",),
    missing=ScheduleNotFound,
)
TOKENS = Table(
    name="tokens",
    value=Token,
    columns=(Column("token_id"), Column("digest"), Column("created_at", Kind.CLOCK)),
    key=("token_id",),
    unique=("digest",),
    missing=TokenNotFound,
)
SESSIONS = Table(
    name="sessions",
    value=Session,
    columns=(Column("digest"), Column("token_id"), Column("created_at", Kind.CLOCK), Column("expires_at", Kind.CLOCK)),
    key=("digest",),
    indexes=(("token_id", "created_at"), ("expires_at",)),
    has_document=False,
)

TABLES: tuple[Table[Any], ...] = (JOBS, REPORTS, OUTCOMES, FORECASTS, SERIES, ACTUALS, ACCURACY, SCHEDULES, TOKENS, SESSIONS)
