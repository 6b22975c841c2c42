"""Every error of Queuecast, arranged by who has to act.

An error's docstring is its default message; a call adds what was found (`detail`) and where (`ids`):

    raise SeriesTooShort("found 2 hours, at least 3 steps are needed", queue="root.etl")
"""

from __future__ import annotations

from datetime import datetime

from shared.errors.base import QueuecastError, reason_of
from shared.errors.models import (
    BadForecast,
    MessageLost,
    ModelError,
    NeedsMoreHistory,
    OutOfMemory,
    ProcessLost,
    TimeLimitReached,
    UnstableFit,
)
from shared.errors.outages import (
    ApiAway,
    BrokerAway,
    BrokerIsCluster,
    BrokerIsReplica,
    BrokerNotStarted,
    BrokerRefuses,
    ServiceError,
    SinkAway,
    SourceAway,
    StoreAway,
    StoreRefuses,
    UploadsAway,
    WorkersAway,
    WorkersBusy,
)
from shared.errors.requests import (
    ChangedMeanwhile,
    ChangeRefused,
    ClusterNotFound,
    Conflict,
    ConnectionMoved,
    ConnectionOfProjects,
    InfeasiblePlan,
    InvalidRequest,
    JobNotFound,
    KeyReused,
    MalformedRequest,
    MovedMeanwhile,
    NotFound,
    ProposalForbids,
    ProposalNotFound,
    QueueNotFound,
    ReplayNotFound,
    ReportNotFound,
    RequestError,
    ScheduleNotFound,
    SeveralClusters,
    SeveralSeries,
    StateForbids,
    TokenNotFound,
    TooManyCandidates,
    TreeNotFound,
    UnknownConnection,
    UnknownHyperparameter,
    UnknownModel,
    UnwritableChange,
    UploadNotFound,
    UploadsOff,
    UsageError,
    VersionDiffers,
    VersionMissing,
)
from shared.errors.setup import CredentialsRefused, ExtraMissing, FleetDiffers, InvalidSettings, SetupError


class AccessError(QueuecastError):
    """The caller may not do this."""


class NotAuthenticated(AccessError):
    """A valid token is needed."""


class ScopeMissing(AccessError):
    """The token does not have the scope for this."""


class ProjectForbidden(AccessError):
    """The token is limited to other projects."""


class SecondPersonNeeded(AccessError):
    """Somebody else has to approve this."""


class OwnersOnly(AccessError):
    """Only owners may do this."""


class CrossSiteRequest(AccessError):
    """A page of another origin may not do this."""


class TooManyRequests(AccessError):
    """Too many requests; slow down."""


class AllowanceUsedUp(AccessError):
    """The project's allowance is used up."""


class DataError(QueuecastError):
    """The data cannot be used."""


class SourceNotFound(DataError):
    """The source has no such file, collection, measurement or column."""


class EmptySeries(DataError):
    """There is no usable value in the history."""

    def __init__(self, detail: str = "", /, *, last_at: datetime | None = None, **ids: object) -> None:
        super().__init__(detail, **ids)
        self.last_at = last_at  # where the newest value there is ends, as far as that is known


class QueueGone(EmptySeries):
    """The queue is stopped, or not there any more."""


class DataLost(DataError):
    """Too much of the data was lost."""


class SeriesTooShort(DataError):
    """The history is too short to forecast from."""


class UnreadableData(DataError):
    """The source's content cannot be read as a time series."""


class YarnUnreadable(DataError):
    """What YARN says of its queues cannot be read."""


class UndefinedScore(DataError):
    """No candidate could be scored."""


class SinkRefused(DataError):
    """The sink refused the forecast."""


class SinkNotFound(SinkRefused):
    """The sink has no such database."""


class RecordError(QueuecastError):
    """A record of the store is in disorder."""


class RecordUnreadable(RecordError):
    """A record of the store cannot be read; the log says why."""


class RecordRefused(RecordError):
    """The store refused a record; the log says why."""


class JobError(QueuecastError):
    """The job cannot go on."""


class DeadlinePassed(JobError):
    """The job's deadline has passed."""


class RunStateLost(JobError):
    """The broker lost the job's run state twice."""
