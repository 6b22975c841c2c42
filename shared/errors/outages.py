"""The family of errors that say which service is away; users import them from shared.errors."""

from __future__ import annotations

from shared.errors.base import QueuecastError


class ServiceError(QueuecastError):
    """A service is away; trying again may help."""

    tells_detail = False


class StoreAway(ServiceError):
    """The store cannot be reached."""


class StoreRefuses(StoreAway):
    """The store refuses Queuecast's user name or password."""


class BrokerAway(ServiceError):
    """The broker cannot be reached."""


class BrokerNotStarted(BrokerAway):
    """No embedded broker runs: start `queuecast up`, or set QUEUECAST_BROKER_URL."""


class BrokerRefuses(BrokerAway):
    """The broker refuses Queuecast's user name or password."""


class BrokerIsReplica(BrokerAway):
    """The broker's address leads to a replica."""


class BrokerIsCluster(BrokerAway):
    """The broker is a Redis Cluster, which Queuecast cannot use: give it a single server, or one behind Sentinels."""


class UploadsAway(ServiceError):
    """The folder of uploads cannot be used."""


class WorkersAway(ServiceError):
    """No worker answers."""

    tells_detail = True


class WorkersBusy(ServiceError):
    """All workers are busy."""

    tells_detail = True


class ApiAway(ServiceError):
    """The Queuecast API cannot be reached."""

    tells_detail = True


class SourceAway(ServiceError):
    """The source cannot be reached."""


class SinkAway(ServiceError):
    """The sink cannot be reached."""
