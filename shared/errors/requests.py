"""Errors of a request: whoever asks has to ask otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.errors.base import QueuecastError


class RequestError(QueuecastError):
    """The request cannot be carried out."""


class MalformedRequest(RequestError):
    """The request is not well-formed."""


class SeveralClusters(MalformedRequest):
    """Several clusters have a tree of queues."""


class InvalidRequest(RequestError):
    """The request has values that are not accepted."""


class UsageError(InvalidRequest):
    """The command does not accept this."""


class UnwritableChange(InvalidRequest):
    """The change of the queues cannot be written for YARN."""


class InfeasiblePlan(InvalidRequest):
    """No plan keeps all that is asked for."""


class UnknownModel(RequestError):
    """No model has this name."""


class UnknownHyperparameter(RequestError):
    """The model has no such hyperparameter."""


class UnknownConnection(RequestError):
    """No connection has this name."""


class ConnectionOfProjects(UnknownConnection):
    """The connection is for jobs of other projects."""


class TooManyCandidates(RequestError):
    """The request asks for more candidates than allowed."""


class KeyReused(RequestError):
    """The Idempotency-Key was used for another request."""


class NotFound(RequestError):
    """There is nothing under this name."""


class JobNotFound(NotFound):
    """No job has this id."""


class QueueNotFound(NotFound):
    """No queue of this name is known."""


class ClusterNotFound(NotFound):
    """No such cluster is known."""


class TreeNotFound(NotFound):
    """Nothing is known of the cluster's queues."""


class ReportNotFound(NotFound):
    """No report of the queue was made yet."""


class ReplayNotFound(NotFound):
    """Nothing of the queue's past was replayed yet."""


class ScheduleNotFound(NotFound):
    """No schedule has this id."""


class ProposalNotFound(NotFound):
    """No decision has this id."""


class UploadNotFound(NotFound):
    """Nothing of this name was uploaded."""


class TokenNotFound(NotFound):
    """No token has this id."""


class Conflict(RequestError):
    """The state of things forbids the request."""


class StateForbids(Conflict):
    """The job's state forbids this."""


class ProposalForbids(Conflict):
    """The decision's state, or that of the cluster, forbids this."""


class ChangeRefused(Conflict):
    """The cluster refuses the change."""


class SeveralSeries(Conflict):
    """The name stands for several series."""

    def __init__(self, detail: str = "", /, *, choices: Sequence[Mapping[str, str]] = (), **ids: object) -> None:
        super().__init__(detail, **ids)
        self.choices = choices  # what to add to the query for each of them


class ConnectionMoved(Conflict):
    """The connection leads elsewhere than until now, and nobody has named its cluster or accepted the move."""

    tells_detail = False


class MovedMeanwhile(ConnectionMoved):
    """The connection leads elsewhere than when the job was planned, which has to be tried again."""


class UploadsOff(Conflict):
    """Nobody may upload anything here."""


class ChangedMeanwhile(Conflict):
    """Somebody else has changed it at the same time."""


class VersionDiffers(RequestError):
    """Somebody has changed it since it was read."""


class VersionMissing(RequestError):
    """The request does not say which version it changes."""
