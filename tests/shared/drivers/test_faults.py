from __future__ import annotations

import sqlite3

import kombu.exceptions
import pymongo.errors
import pytest
import redis.exceptions

from shared.drivers.faults import translated
from shared.errors import (
    BrokerAway,
    BrokerIsCluster,
    BrokerIsReplica,
    BrokerRefuses,
    CredentialsRefused,
    QueuecastError,
    ServiceError,
    SinkAway,
    SourceAway,
    StoreAway,
    StoreRefuses,
)


def an_sqlite_error(kind: type[sqlite3.Error], name: str, message: str) -> sqlite3.Error:
    error = kind(message)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (redis.exceptions.ConnectionError("Error 111 connecting to localhost:6379. Connection refused."), BrokerAway),
        (redis.exceptions.ConnectionError("max number of clients reached"), BrokerAway),
        (redis.exceptions.BusyLoadingError("Valkey is loading the dataset in memory"), BrokerAway),
        (redis.exceptions.TimeoutError("Timeout reading from socket"), BrokerAway),
        (redis.exceptions.ReadOnlyError("You can't write against a read only replica."), BrokerIsReplica),
        (redis.exceptions.MasterDownError("Link with MASTER is down and replica-serve-stale-data is set to 'no'."), BrokerAway),
        (redis.exceptions.ClusterDownError("The cluster is down"), BrokerAway),
        (redis.exceptions.MovedError("3999 127.0.0.1:6381"), BrokerIsCluster),
        (redis.exceptions.ClusterCrossSlotError("Keys in request don't hash to the same slot"), BrokerIsCluster),
        (redis.exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), BrokerAway),
        (redis.exceptions.ResponseError("OOM command not allowed when used memory > 'maxmemory'."), BrokerAway),
        (redis.exceptions.ResponseError("MISCONF Valkey is configured to save RDB snapshots, but ..."), BrokerAway),
        (redis.exceptions.ResponseError("UNBLOCKED force unblock from blocking operation, instance state changed"), BrokerAway),
        (redis.exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."), BrokerAway),
        (redis.exceptions.ResponseError("Error running script (call to f_1): @user_script:1: -READONLY You can't"), BrokerAway),
        (redis.exceptions.AuthenticationError("invalid username-password pair or user is disabled."), BrokerRefuses),
        (redis.exceptions.AuthorizationError("no"), BrokerRefuses),
        (redis.exceptions.AuthenticationWrongNumberOfArgsError("no"), BrokerRefuses),
        (redis.exceptions.NoPermissionError("this user has no permissions to run the 'get' command"), BrokerRefuses),
        (kombu.exceptions.OperationalError("Error 111 connecting to localhost:6379."), BrokerAway),
        (pymongo.errors.ServerSelectionTimeoutError("127.0.0.1:1: [Errno 111] Connection refused"), BrokerAway),
        (pymongo.errors.ServerSelectionTimeoutError("Authentication failed."), BrokerRefuses),
        (pymongo.errors.NetworkTimeout("timed out"), BrokerAway),
        (pymongo.errors.NotPrimaryError("not primary"), BrokerAway),
        (pymongo.errors.CursorNotFound("cursor id 1 not found"), BrokerAway),
        (pymongo.errors.WriteConcernError("waiting for replication timed out"), BrokerAway),
        (pymongo.errors.OperationFailure("interrupted, full error: {'ok': 0.0, 'code': 11602}", 11602), BrokerAway),
        (pymongo.errors.BulkWriteError({"writeErrors": [{"code": 11602, "errmsg": "interrupted"}]}), BrokerAway),
        (pymongo.errors.ExecutionTimeout("operation exceeded time limit"), BrokerAway),
        (pymongo.errors.OperationFailure("Authentication failed.", 18), BrokerRefuses),
        (pymongo.errors.OperationFailure("not authorized on usage to execute command", 13), BrokerRefuses),
        (an_sqlite_error(sqlite3.OperationalError, "SQLITE_BUSY_SNAPSHOT", "database is locked"), BrokerAway),
        (an_sqlite_error(sqlite3.OperationalError, "SQLITE_CANTOPEN", "unable to open database file"), BrokerAway),
        (an_sqlite_error(sqlite3.OperationalError, "SQLITE_FULL", "database or disk is full"), BrokerAway),
        (an_sqlite_error(sqlite3.DatabaseError, "SQLITE_CORRUPT", "database disk image is malformed"), BrokerAway),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_what_the_outside_world_causes_becomes_one_of_our_errors(error: Exception, becomes: type[QueuecastError]) -> None:
    with pytest.raises(becomes) as raised, translated(BrokerAway, job_id="job-1"):
        raise error
    assert type(raised.value) is becomes
    assert raised.value.detail == str(error).partition(", full error")[0]
    assert raised.value.ids == {"job_id": "job-1"}
    assert raised.value.__cause__ is error


def test_a_source_s_refusal_is_the_reason_of_a_failure_and_the_store_s_is_waited_for() -> None:
    refusal = pymongo.errors.OperationFailure("Authentication failed.", 18)
    for away, becomes in ((SourceAway, CredentialsRefused), (SinkAway, CredentialsRefused), (StoreAway, StoreRefuses)):
        with pytest.raises(becomes), translated(away):
            raise refusal
    assert issubclass(StoreRefuses, ServiceError)


@pytest.mark.parametrize(
    "error",
    [
        pymongo.errors.OperationFailure("unknown operator", 2),
        redis.exceptions.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
        redis.exceptions.DataError("Invalid input of type: 'NoneType'."),
        an_sqlite_error(sqlite3.OperationalError, "SQLITE_ERROR", "no such table: jbos"),
        an_sqlite_error(sqlite3.IntegrityError, "SQLITE_CONSTRAINT_NOTNULL", "NOT NULL constraint failed"),
        sqlite3.ProgrammingError("Incorrect number of bindings supplied."),
        ValueError("database is locked"),
        StoreAway("already ours"),
        KeyboardInterrupt(),
    ],
    ids=repr,
)
def test_anything_else_passes_as_it_is(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised, translated(StoreAway):
        raise error
    assert raised.value is error


def test_a_decorated_function_translates_at_each_call() -> None:
    @translated(BrokerAway)
    def ask(answer: object) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert ask("PONG") == "PONG"
    for _ in range(2):
        with pytest.raises(BrokerAway):
            ask(redis.exceptions.ConnectionError("gone"))
