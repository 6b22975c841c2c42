"""MongoDB: a client with limits for each kind of caller, one per process, and the collection that a place means."""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import pymongo.errors
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from shared.domain.identifiers import is_place
from shared.drivers.faults import NOT_AUTHORISED
from shared.errors import InvalidRequest, InvalidSettings

Patience = Literal["source", "store", "api"]
Document = dict[str, Any]  # as pymongo gives it
Documents = Collection[Document]

# Milliseconds. pymongo's own limits are 30 s to find a server and none for an answer; the constructor never fails on a dead one.
_LIMITS: dict[Patience, dict[str, int]] = {
    "source": {"serverSelectionTimeoutMS": 5_000, "connectTimeoutMS": 5_000, "timeoutMS": 30_000},
    "store": {"serverSelectionTimeoutMS": 5_000, "connectTimeoutMS": 5_000, "timeoutMS": 10_000},
    "api": {"serverSelectionTimeoutMS": 1_000, "connectTimeoutMS": 1_000, "timeoutMS": 1_000},  # 503 in under 2 s
}

TLS_FILES = frozenset({"tlscafile", "tlscertificatekeyfile", "tlscrlfile"})
MARK = "queuecast_store"  # the collection that says: this database is a store of ours
_NAMES = """
accuracy actuals admissions audits calibrations configuration_changes configured_trees decision_replays decision_requests
forecast_paths forecasts hidden_names jobs leaderboards notices outcomes outlook_scores policies proposal_files proposals
queue_aliases queue_trees queue_usage_reports reports run_failures schedules series sessions signing_keys tokens whereabouts
winners
"""
OURS = frozenset({MARK, *_NAMES.split()})  # every collection of a store
_clients: dict[tuple[str, Patience, int], MongoClient[Document]] = {}  # by process: a child leaves its parent's alone
REACHED_SECONDS = 4  # `timeoutMS` overrules pymongo's own limit for finding a server: a dead one would take all of it


def mongo_client(url: str, *, patience: Patience) -> MongoClient[Document]:
    """The client of this process for a URL: it has threads and sockets, which must not cross a fork.

    Raises:
        InvalidSettings: the URL is none, told without what may be a password in it.
    """
    key = url, patience, os.getpid()
    return _clients.get(key) or _clients.setdefault(key, _client(url, patience))


def forget_client(url: str, *, patience: Patience) -> None:
    """Close this process's client for a URL, if there is one; nobody may be using it."""
    if (client := _clients.pop((url, patience, os.getpid()), None)) is not None:
        atexit.unregister(client.close)
        client.close()


def mongo_database(client: MongoClient[Document], name: str | None) -> Database[Document]:
    """The database of this name, or the one that the client's URL names; raises InvalidSettings when neither does."""
    if name is not None:
        if not is_place(name):
            raise InvalidSettings(f"{name[:60]!r} may not name a database of yours")
        return client[name]
    try:
        return client.get_default_database()
    except pymongo.errors.ConfigurationError as error:
        raise InvalidSettings("the MongoDB URL names no database; accepted is mongodb://host:port/database") from error


def mongo_collection(url: str, database: str | None, name: str | None, *, connection: str) -> Documents:
    """The collection of this name in the database, or in that of the URL, of a server that has just answered.

    Args:
        connection: how errors call the server.

    Raises:
        PyMongoError: the server did not answer within 4 seconds, or refused the credentials.
        InvalidRequest: the database is a store of ours, or the collection's name is no plain one. The edge has refused that;
            what reaches a database is checked where it does. Whether the connection lets anybody reach the place is asked before.
        InvalidSettings: the URL is not usable, or no database is named.
    """
    if name is None or not is_place(name):
        shown = str(name)[:60]
        raise InvalidRequest(f"found {shown!r}; accepted are letters, digits, _ . -, a letter first", field="collection")
    collection = mongo_database(_named_client(url, connection), database)[name]
    with pymongo.timeout(REACHED_SECONDS):
        refuse_own_store(collection.database, name)
    return collection


def refuse_own_store(database: Database[Document], collection: str | None = None) -> None:
    """Raises InvalidRequest for a database that is a store of ours, by whatever address and as whatever user it was reached.

    A user who may not see the mark may read or write some collections only: then those are refused that a store has.
    """
    try:
        is_ours = database[MARK].find_one({}, {"_id": 1}) is not None
    except pymongo.errors.OperationFailure as error:
        if error.code != NOT_AUTHORISED or collection in OURS:
            raise
        is_ours = False
    if is_ours:
        raise InvalidRequest(
            f"the database {database.name!r} is Queuecast's own store, which is neither source nor sink; give your data another",
            field="database",
        )


def _named_client(url: str, connection: str) -> MongoClient[Document]:
    try:
        return mongo_client(url, patience="source")
    except InvalidSettings as error:
        raise InvalidSettings(error.detail, connection=connection) from None


def _why(url: str, error: OSError) -> str:
    """Which file it is: the option and its value."""
    options = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    files = {name: value for name, value in options.items() if name.lower() in TLS_FILES}
    for name, value in files.items():
        try:
            Path(value).read_bytes()
        except OSError as unread:
            return f"{name}={value}: {unread.strerror}"
    return f"{', '.join(f'{name}={value}' for name, value in files.items())}: {error.strerror or 'not in PEM form'}"


def _client(url: str, patience: Patience) -> MongoClient[Document]:
    try:
        client = MongoClient[Document](url, appname="queuecast", tz_aware=True, **_LIMITS[patience])  # type: ignore[arg-type]
    except OSError as error:  # of a file of certificates, which is not there or holds none
        raise InvalidSettings(f"a file that the MongoDB URL names cannot be used: {_why(url, error)}") from None
    except (pymongo.errors.PyMongoError, ValueError) as error:
        reason = "user and password must be escaped" if "RFC 3986" in str(error) else type(error).__name__
        raise InvalidSettings(f"the MongoDB URL is not accepted: {reason}; accepted is mongodb://host:port/database") from None
    atexit.register(client.close)  # left to the interpreter's end, it complains on stderr
    return client
