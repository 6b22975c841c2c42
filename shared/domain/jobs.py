"""The request and the job it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.domain.choice import Effort, Metric, SelectionRule
from shared.domain.durations import Duration
from shared.domain.job_states import JobState, QueueState  # noqa: F401 - the other is had from here too
from shared.domain.occasions import Event, EventFile, Excluded, Holidays, SpecialTimes
from shared.domain.places import Place, partition_of
from shared.domain.runs import Run
from shared.domain.samples import Aggregation, CsvForm, Fill, Limits, Where
from shared.domain.series import Series, cluster_of, rows_of
from shared.domain.stepped import Stepped
from shared.domain.units import Unit

QUEUE_FIELD = "queue"  # where a request names none; only this one may be absent from files, each of which is a queue then
TIME_FIELD = "timestamp"
LOCAL = "local"  # the client of whoever has no token
Hyperparameter = str | int | float | bool
Grid = Mapping[str, tuple[Hyperparameter, ...]]  # hyperparameter → the values to try


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlaces:
    """Where the history is read and where the forecast is written.

    Of several sources the first has the target; the others add covariates.
    """

    source: Place | tuple[Place, ...]
    destination: Place

    @property
    def sources(self) -> tuple[Place, ...]:
        """All of them, at least one."""
        return (self.source,) if isinstance(self.source, Place) else self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest(Stepped):
    """One request, checked; its fields are those of the HTTP body, name for name."""

    job_name: str
    data: DataPlaces
    aggregation_time_period: Duration
    data_ingestion_time_period: Duration
    future_prediction_time_period: Duration
    job_description: str = ""
    user_name: str = ""
    project: str = ""
    owner: str = ""
    cluster: str = ""
    model: Literal["auto"] | tuple[str, ...] = "auto"
    hyperparameters: Mapping[str, Grid] = field(default_factory=dict)
    queues: tuple[str, ...] = ("*",)
    target: str = "used_capacity"
    time_field: str = TIME_FIELD
    queue_field: str | tuple[str, ...] = QUEUE_FIELD  # of several the values make up the name, with / between
    columns: tuple[str, ...] | None = None
    regressors: tuple[str, ...] = ()  # columns whose future is known
    where: Where = field(default_factory=dict)
    samples_timezone: str | None = None  # of timestamps that carry none; None = nothing is said, and UTC is meant
    csv: CsvForm = field(default_factory=CsvForm)
    missing_values: tuple[float, ...] = ()
    unit: Unit | None = None
    limits: Limits | None = None
    ingestion_delay: Duration | None = None
    fill: Fill = field(default_factory=Fill)
    accept_losses: bool = False
    queues_from_columns: bool = False
    aggregation: Aggregation = Aggregation.MEAN
    backtest_windows: int | None = None  # None = as many as the history allows and the candidates can afford
    effort: Effort = Effort.NORMAL  # what "auto" tries
    selection: SelectionRule = SelectionRule.LOWEST_MAPE
    metric: Metric = Metric.MAPE  # what candidates are compared by; elsewhere a metric is what is forecast, the target
    baselines: bool = True
    interval: float = 0.9
    quantiles: tuple[float, ...] = ()
    bounds: tuple[float | None, float | None] = (0.0, None)
    timezone: str = "UTC"
    holidays: Holidays | None = None
    events: SpecialTimes = ()
    exclude: tuple[Excluded, ...] = ()
    as_of: datetime | None = None
    deadline: Duration = Duration(1, "h")
    max_candidates: int = 2_000

    @property
    def step_seconds(self) -> int:
        """Length of one step of the series in seconds."""
        return self.aggregation_time_period.seconds

    @property
    def queue_fields(self) -> tuple[str, ...]:
        """The columns whose values name the queue."""
        return (self.queue_field,) if isinstance(self.queue_field, str) else self.queue_field

    @property
    def known_events(self) -> tuple[Event, ...]:
        """Those that the request itself spells out."""
        return tuple(each for each in self.events if isinstance(each, Event))

    @property
    def event_files(self) -> tuple[EventFile, ...]:
        """Those that have further ones."""
        return tuple(each for each in self.events if isinstance(each, EventFile))

    def series(self, queue: str) -> Series:
        """What the values of this queue belong to."""
        rows = rows_of({**self.where, **partition_of(self.data.sources[0])})
        return Series(
            queue=queue,
            metric=self.target,
            project=self.project,
            cluster=self.cluster or cluster_of(self.data.sources[0], rows),
            where=rows if self.cluster else "",
            step_seconds=self.step_seconds,
            aggregation=self.aggregation,
            day_timezone=self.day_timezone,
        )

    def issue_time(self, now: datetime) -> datetime:
        """When a forecast asked for at `now` is issued: at the end of the last step whose samples are all there by then."""
        known = self.as_of or now
        return self.grid.bucket_start(known if self.ingestion_delay is None else self.ingestion_delay.before(known))

    def history_start(self, issued_at: datetime) -> datetime:
        """Where the history of a forecast issued at `issued_at` begins; days are those of the steps."""
        return self.grid.off_the_wall(self.data_ingestion_time_period.before(self.grid.on_the_wall(issued_at)))

    def horizon_steps(self, issued_at: datetime) -> int:
        """How many steps cover the asked-for future; a broken last step counts as a whole one."""
        wall = self.grid.on_the_wall(issued_at)
        return max(1, -int(-(self.future_prediction_time_period.after(wall) - wall).total_seconds() // self.step_seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many there are, how many of them are done, and how many of those failed."""

    total: int = 0
    done: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is."""

    queues: Tally = Tally()
    candidates: Tally = Tally()
    replans: int = 0  # how often it was planned again because the broker had lost its run state


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One request and all that follows from it, as the store keeps it. Times are aware UTC."""

    job_id: str
    request: JobRequest
    created_at: datetime
    state: JobState = JobState.QUEUED
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    progress: Progress = Progress()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    issued_at: datetime | None = None
    request_id: str | None = None
    client: str = LOCAL
    idempotency_key: str | None = None
    fingerprint: str | None = None  # of the body, so that a reused key is told from a repeated request
    queued_at: datetime | None = None  # when it was last queued again by a retry: what tells one run of it from another
    run: Run = Run.SEARCH
    schedule_id: str | None = None  # of the schedule that made it; also None: made by a release that did not keep that
    keeps_winners: bool = False  # for later refits of the same schedule
    led_to: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by connection, when it was planned
    to_forget: str = ""  # which queues' reports go before it is planned, as a retry names them; "" = those that should are gone
    only: tuple[str, ...] = ()  # the queues that this run is of, as a retry names them; () = all of them that have no forecast

    @property
    def asked_at(self) -> datetime:
        """When somebody last wanted it: by the request, or by a retry."""
        return self.queued_at or self.created_at

    @property
    def account(self) -> str:
        """Whose turn and whose allowance it takes."""
        return account_of(self.client, self.request)

    @property
    def deadline_at(self) -> datetime:
        """The job ends by then, with what it has."""
        return self.request.deadline.after(self.asked_at)


def account_of(client: str, request: JobRequest) -> str:
    """Of the project, or "" without one; also without a token, because then anybody might name any project."""
    return "" if client == LOCAL else request.project


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """What `GET /v1/jobs` may ask for; None = any."""

    state: JobState | None = None
    owner: str | None = None
    project: str | None = None
    projects: tuple[str, ...] | None = None  # any of these: what a token is limited to
    user_name: str | None = None
    queue: str | None = None
    model: str | None = None  # the winner's
