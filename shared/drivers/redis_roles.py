"""Who answers at the broker's address: its master, a replica, a cluster or a Sentinel? Asked on every new connection.

A server that has become a replica still answers: it reads, refuses every write, and knows nothing of what the new master does.
So a connection to it is no connection, and a client that holds one closes it at the first refusal.
"""

from __future__ import annotations

from contextlib import suppress

import redis
from redis.connection import AbstractConnection
from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,  # noqa: A004 - redis-py's own name
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)

# Answers of a server that will answer differently later, or that another one takes over from.
OUTAGES = (BusyLoadingError, ClusterDownError, OutOfMemoryError, ReadOnlyError)  # MasterDownError is a ClusterDownError


class ReplicaError(ConnectionError):
    """A replica answers at the address of the master."""


class ClusterModeError(ConnectionError):
    """A cluster answers, whose keys are spread over servers that we do not ask."""


def meet_server(connection: AbstractConnection) -> None:
    """Introduce us to a server that has just been connected; raises ReplicaError, ClusterModeError, ConnectionError."""
    refused = None
    try:
        connection.on_connect_check_health(check_health=False)  # a check would connect again, and so on
    except ResponseError as error:  # of the database: neither a cluster nor a Sentinel has it
        refused = error
    connection.send_command("HELLO", check_health=False)  # type: ignore[no-untyped-call]
    with suppress(ResponseError):  # older than Redis 6, or something in between that does not know it: taken for a master
        _check(connection.read_response())  # type: ignore[no-untyped-call]
    if refused:
        raise refused


def ask_master(client: redis.Redis) -> None:
    """A round trip to the master; raises as `meet_server` does, whatever has become of the server meanwhile."""
    try:
        hello = client.execute_command("HELLO")  # type: ignore[no-untyped-call]
    except ResponseError:
        client.ping()
        return
    try:
        _check(hello)
    except ConnectionError:
        client.connection_pool.disconnect()  # who asks next connects again, and may find the new master
        raise


def _check(hello: object) -> None:
    """What HELLO says of the server, as pairs in a list, or as a map in a newer protocol."""
    if not isinstance(hello, list | dict):  # no answer of a Redis: whoever asks next will see
        return
    pairs = hello.items() if isinstance(hello, dict) else zip(hello[::2], hello[1::2], strict=False)
    said = {_text(name): _text(value) for name, value in pairs}
    if said.get("mode") == "cluster":
        raise ClusterModeError("cluster_enabled is yes")
    if said.get("mode") == "sentinel":
        raise ConnectionError("a Sentinel answers: its address is written sentinel://host:port/0?master=NAME")
    if said.get("role", "master") != "master":
        raise ReplicaError(f"its role is {said['role']}")


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
