"""Driver exceptions → ours, one table; nothing else decides which of a driver's exceptions mean "away, try again".

Only what the outside world causes is translated. A programming error (a wrong statement, a wrong type) passes as it is.
Exceptions are known by name, so that a process loads only the drivers it uses; the test holds every name to the real class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.errors import (
    BrokerAway,
    BrokerIsCluster,
    BrokerIsReplica,
    BrokerRefuses,
    CredentialsRefused,
    QueuecastError,
    ServiceError,
    StoreAway,
    StoreRefuses,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: exceptions of this class (or below it) whose code or message begins like this."""

    exception: str
    begins: str = ""  # a regular expression; "" = all of them
    becomes: type[QueuecastError] | None = None  # None = away, as whatever the caller calls it

    def matches(self, error: Exception) -> bool:
        """Whether `error` is of this row. sqlite3 has a name for every code, the others have only their message."""
        classes = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
        return self.exception in classes and re.match(self.begins, getattr(error, "sqlite_errorname", str(error))) is not None


FAULTS = (  # the first row that matches decides: the more special one stands first
    Fault("shared.drivers.redis_roles.ClusterModeError", becomes=BrokerIsCluster),
    Fault("shared.drivers.redis_roles.ReplicaError", becomes=BrokerIsReplica),
    Fault("redis.exceptions.AskError", becomes=BrokerIsCluster),  # MovedError is one
    Fault("redis.exceptions.ClusterCrossSlotError", becomes=BrokerIsCluster),
    Fault("redis.exceptions.AuthenticationError", becomes=CredentialsRefused),
    Fault("redis.exceptions.AuthorizationError", becomes=CredentialsRefused),
    Fault("redis.exceptions.AuthenticationWrongNumberOfArgsError", becomes=CredentialsRefused),
    Fault("redis.exceptions.NoPermissionError", becomes=CredentialsRefused),
    Fault("redis.exceptions.ReadOnlyError", becomes=BrokerIsReplica),  # while another server takes over
    Fault("redis.exceptions.ConnectionError"),  # BusyLoadingError (the server reads its file) is one
    Fault("redis.exceptions.TimeoutError"),
    Fault("redis.exceptions.InvalidResponse"),  # something answers that is no Redis
    Fault("redis.exceptions.OutOfMemoryError"),
    Fault("redis.exceptions.ClusterDownError"),  # MasterDownError (a replica without its master) is one
    Fault("redis.exceptions.TryAgainError"),
    # the same, seen from inside a script or by an older server; and what a server says that becomes a replica, or is busy
    Fault("redis.exceptions.ResponseError", "(Error running script.*-)?(OOM|MISCONF|LOADING|READONLY|MASTERDOWN)"),
    Fault("redis.exceptions.ResponseError", "UNBLOCKED|NOREPLICAS|BUSY "),
    Fault("kombu.exceptions.OperationalError"),
    Fault(
        "pymongo.errors.OperationFailure", ".*(Authentication failed|not authorized|requires authentication)", CredentialsRefused
    ),
    # a client that was refused once finds no server for a while, and says why
    Fault("pymongo.errors.ServerSelectionTimeoutError", ".*Authentication failed", CredentialsRefused),
    Fault("pymongo.errors.ConnectionFailure"),  # AutoReconnect, NetworkTimeout, ServerSelectionTimeoutError are such
    Fault("pymongo.errors.ExecutionTimeout"),
    Fault("pymongo.errors.WriteConcernError"),  # written, perhaps, by a server that has stepped down meanwhile: write it again
    Fault("pymongo.errors.CursorNotFound"),  # it was the cursor of a server that is no longer asked
    # interrupted, or no longer the primary: what the driver itself tries again, once
    Fault(
        "pymongo.errors.OperationFailure",
        r".*'code': (6|7|89|91|134|189|262|9001|10058|10107|11600|11601|11602|13435|13436)\b",
    ),
    Fault("pymongo.errors.WaitQueueTimeoutError"),
    Fault("sqlite3.DatabaseError", "SQLITE_(BUSY|LOCKED|CANTOPEN|IOERR|FULL|READONLY|PERM|CORRUPT|NOTADB)"),
)


_REFUSALS = {StoreAway: StoreRefuses, BrokerAway: BrokerRefuses}  # ours are waited for; a source's is the reason of a failure

# What pymongo says of its own limits, of its view of the server and of the raw answer is for its developers.
_VERBOSE = re.compile(r"( \(configured timeouts.*|, Timeout: .*|, full error: .*)", re.DOTALL)


@contextmanager
def translated(away: type[ServiceError], **ids: object) -> Iterator[None]:
    """Context or decorator: what the table calls away is raised as `away`, with the driver's message and `ids`.

    >>> with translated(StoreAway, file=path):
    ...     connection.execute(statement)
    """
    try:
        yield
    except Exception as error:
        fault = next((fault for fault in FAULTS if fault.matches(error)), None)
        if fault is None:
            raise
        kind = fault.becomes or away
        if kind is CredentialsRefused:
            kind = _REFUSALS.get(away, kind)
        raise kind(_VERBOSE.sub("", str(error)), **ids) from error
