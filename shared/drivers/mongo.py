"""MongoDB: a client with limits for each kind of caller, one per process, and the database that a connection means."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, Literal

import pymongo.errors
from pymongo import MongoClient
from pymongo.database import Database

from shared.errors import InvalidSettings
from shared.names import is_place

Patience = Literal["source", "store", "api"]
Documents = dict[str, Any]

# Milliseconds. pymongo's own limits are 30 s to find a server and none for an answer; the constructor never fails on a dead one.
_LIMITS: dict[Patience, dict[str, int]] = {
    "source": {"serverSelectionTimeoutMS": 5_000, "connectTimeoutMS": 5_000, "timeoutMS": 30_000},
    "store": {"serverSelectionTimeoutMS": 5_000, "connectTimeoutMS": 5_000, "timeoutMS": 10_000},
    "api": {"serverSelectionTimeoutMS": 1_000, "connectTimeoutMS": 1_000, "timeoutMS": 1_000},  # 503 in under 2 s
}


def mongo_client(url: str, *, patience: Patience) -> MongoClient[Documents]:
    """The client of this process for a URL: it has threads and sockets, which must not cross a fork.

    Raises:
        InvalidSettings: the URL is none, told without what may be a password in it.
    """
    return _client(url, patience, os.getpid())


def mongo_database(client: MongoClient[Documents], name: str | None) -> Database[Documents]:
    """The database of this name, or the one that the client's URL names; raises InvalidSettings when neither does."""
    if name is not None:
        if not is_place(name):
            raise InvalidSettings(f"{name[:60]!r} may not name a database of yours")
        return client[name]
    try:
        return client.get_default_database()
    except pymongo.errors.ConfigurationError as error:
        raise InvalidSettings("the MongoDB URL names no database; accepted is mongodb://host:port/database") from error


@lru_cache(maxsize=32)
def _client(url: str, patience: Patience, _process: int) -> MongoClient[Documents]:
    try:
        return MongoClient(url, appname="queuecast", tz_aware=True, **_LIMITS[patience])  # type: ignore[arg-type]
    except (pymongo.errors.PyMongoError, ValueError) as error:
        reason = "user and password must be escaped" if "RFC 3986" in str(error) else type(error).__name__
        raise InvalidSettings(f"the MongoDB URL is not accepted: {reason}; accepted is mongodb://host:port/database") from None
