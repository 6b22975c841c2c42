"""Driver exceptions → ours, a table for each driver; nothing else decides which of a driver's exceptions mean "away, try again".

Only what the outside world causes is translated. A programming error (a wrong statement, a wrong type) passes as it is.
A driver's table is made when one of its exceptions comes along, so that a process loads only the drivers it uses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager
from dataclasses import dataclass
from functools import cache
from inspect import isfunction
from typing import TypeVar

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

Class = TypeVar("Class", bound=type)


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: exceptions of this class (or below it), all of them or those with such a code or such a beginning."""

    exception: type[Exception]
    begins: str = ""  # a regular expression
    becomes: type[QueuecastError] | None = None  # None = away, as whatever the caller calls it
    codes: frozenset[int] = frozenset()

    def matches(self, error: Exception) -> bool:
        """Whether `error` is of this row. sqlite3 has a name for every code, redis-py nothing but the server's words."""
        if not isinstance(error, self.exception) or (self.codes and not self.codes & _codes_of(error)):
            return False
        return re.match(self.begins, getattr(error, "sqlite_errorname", str(error))) is not None


@cache
def _of_redis() -> tuple[Fault, ...]:
    """The first row that matches decides: the more special one stands first."""
    from redis import exceptions

    from shared.drivers.redis_roles import ClusterModeError, ReplicaError

    return (
        Fault(ClusterModeError, becomes=BrokerIsCluster),
        Fault(ReplicaError, becomes=BrokerIsReplica),
        Fault(exceptions.AskError, becomes=BrokerIsCluster),  # MovedError is one
        Fault(exceptions.ClusterCrossSlotError, becomes=BrokerIsCluster),
        Fault(exceptions.AuthenticationError, becomes=CredentialsRefused),
        Fault(exceptions.AuthorizationError, becomes=CredentialsRefused),
        Fault(exceptions.AuthenticationWrongNumberOfArgsError, becomes=CredentialsRefused),
        Fault(exceptions.NoPermissionError, becomes=CredentialsRefused),
        Fault(exceptions.ReadOnlyError, becomes=BrokerIsReplica),  # while another server takes over
        Fault(exceptions.ConnectionError),  # BusyLoadingError (the server reads its file) is one
        Fault(exceptions.TimeoutError),
        Fault(exceptions.InvalidResponse),  # something answers that is no Redis
        Fault(exceptions.OutOfMemoryError),
        Fault(exceptions.ClusterDownError),  # MasterDownError (a replica without its master) is one
        Fault(exceptions.TryAgainError),
        # the same, seen from inside a script or by an older server; and what a server says that becomes a replica, or is busy
        Fault(exceptions.ResponseError, "(Error running script.*-)?(OOM|MISCONF|LOADING|READONLY|MASTERDOWN)"),
        Fault(exceptions.ResponseError, "UNBLOCKED|NOREPLICAS|BUSY "),
    )


@cache
def _of_kombu() -> tuple[Fault, ...]:
    from kombu.exceptions import OperationalError

    return (Fault(OperationalError),)


NOT_AUTHORISED, NOT_AUTHENTICATED = 13, 18


@cache
def _of_pymongo() -> tuple[Fault, ...]:
    from pymongo import errors

    return (
        Fault(errors.OperationFailure, codes=frozenset({NOT_AUTHORISED, NOT_AUTHENTICATED}), becomes=CredentialsRefused),
        Fault(errors.OperationFailure, ".*Authentication failed", CredentialsRefused),  # Atlas has one code for all its errors
        # a client that was refused once finds no server for a while, and says why
        Fault(errors.ServerSelectionTimeoutError, ".*Authentication failed", CredentialsRefused),
        Fault(errors.ConnectionFailure),  # AutoReconnect, NetworkTimeout, ServerSelectionTimeoutError are such
        Fault(errors.ExecutionTimeout),
        Fault(errors.WriteConcernError),  # written, perhaps, by a server that has stepped down meanwhile: write it again
        Fault(errors.CursorNotFound),  # it was the cursor of a server that is no longer asked
        # interrupted, or no longer the primary: what the driver itself tries again, once
        Fault(
            errors.OperationFailure,
            codes=frozenset({6, 7, 89, 91, 134, 189, 262, 9001, 10058, 10107, 11600, 11601, 11602, 13435, 13436}),
        ),
        Fault(errors.WaitQueueTimeoutError),
    )


@cache
def _of_sqlite() -> tuple[Fault, ...]:
    import sqlite3

    return (Fault(sqlite3.DatabaseError, "SQLITE_(BUSY|LOCKED|CANTOPEN|IOERR|FULL|READONLY|PERM|CORRUPT|NOTADB)"),)


_TABLES: dict[str, Callable[[], tuple[Fault, ...]]] = {
    "redis": _of_redis,
    "kombu": _of_kombu,
    "pymongo": _of_pymongo,
    "sqlite3": _of_sqlite,
}


def _fault_of(error: Exception) -> Fault | None:
    """The row of an exception, in the table of the package that it comes from."""
    packages = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    tables = [table for package, table in _TABLES.items() if package in packages]
    return next((fault for table in tables for fault in table() if fault.matches(error)), None)


def _codes_of(error: Exception) -> set[object]:
    """Of MongoDB's answer; an error about several writes has one for each."""
    details = getattr(error, "details", None) or {}
    parts = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
    return {getattr(error, "code", None), *(part.get("code") for part in parts)}


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
        fault = _fault_of(error)
        if fault is None:
            raise
        kind = fault.becomes or away
        if kind is CredentialsRefused:
            kind = _REFUSALS.get(away, kind)
        raise kind(_VERBOSE.sub("", str(error)), **ids) from error


def in_every_method(translating: ContextDecorator) -> Callable[[Class], Class]:
    """Class decorator: what the public methods of the class raise is translated."""

    def decorate(kind: Class) -> Class:
        for name, method in list(vars(kind).items()):
            if isfunction(method) and not name.startswith("_"):
                setattr(kind, name, translating(method))
        return kind

    return decorate
