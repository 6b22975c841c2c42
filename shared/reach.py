"""What of a connection requests may reach: what they may read there, and where forecasts may be written.

Asked when a job is taken, and again where a worker connects: a schedule or a retry may come after the lists have changed.

    readable = ["queue_*", "archive.usage"]     queue_* of the databases that the connection names, and one of another
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from shared.connections import Connection
from shared.errors import InvalidRequest
from shared.jobs import Place
from shared.names import is_reserved_collection, is_reserved_database

MOST_SHOWN = 10  # patterns that a message names


def check_source(place: Place, connection: Connection) -> None:
    """Raises InvalidRequest, with what is accepted, for a place that the connection does not let anybody read."""
    if connection.kind == "files":
        return  # the files themselves are looked at where they are opened
    database, name = _named(place, connection, "source")
    if not may_read(connection, database, name):
        _refuse(place, "source", (database, name), f"{place.name} is read in", _readable(connection))


def check_destination(place: Place, connection: Connection) -> None:
    """Raises InvalidRequest, with what is accepted, for a place that the connection lets nobody write to."""
    if connection.kind == "files":
        return
    database, name = _named(place, connection, "destination")
    if not _is_in(_writable(connection), database, name):
        _refuse(place, "destination", (database, name), f"{place.name} takes forecasts for", _writable(connection))


def may_read(connection: Connection, database: str, name: str) -> bool:
    """Whether the connection lets its users read this collection or measurement."""
    return _is_in(_readable(connection), database, name)


def may_read_file(connection: Connection, path: str) -> bool:
    """Whether the connection lets its users read the file with this path inside its folder; here `*` stands for `/` too."""
    return connection.readable is None or any(fnmatchcase(path, pattern) for pattern in connection.readable)


def _readable(connection: Connection) -> list[tuple[str, str]]:
    return list(_pairs(connection.readable, connection.own_databases))


def _writable(connection: Connection) -> list[tuple[str, str]]:
    """An InfluxDB's URL names no database: where nothing else does, either, the request's is written to, as it always was."""
    own = connection.own_databases if connection.writable_databases is None else connection.writable_databases
    is_open = connection.kind == "influxdb" and not connection.own_databases and connection.writable_databases is None
    return list(_pairs(connection.writable, ("*",) if is_open else own))


def _pairs(patterns: Sequence[str] | None, own: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Globs of database and name. A name may have dots: each dot of a pattern may be the one after the database."""
    for pattern in ("*",) if patterns is None else patterns:
        dots = [place for place, character in enumerate(pattern) if character == "."]
        yield from [(pattern[:dot], pattern[dot + 1 :]) for dot in dots] or [(database, pattern) for database in own]


def _is_in(pairs: Sequence[tuple[str, str]], database: str, name: str) -> bool:
    return any(fnmatchcase(database, each) and fnmatchcase(name, its_name) for each, its_name in pairs)


def _named(place: Place, connection: Connection, role: str) -> tuple[str, str]:
    """Database, and collection or measurement; raises InvalidRequest without one, or for one that is the server's own."""
    own = connection.own_database
    database, name = place.database or own, place.collection if connection.kind == "mongodb" else place.measurement
    if database is None:
        how = "name it in the request, or give the connection one: its `database`"
        url = ", or the URL's" if connection.kind == "mongodb" else ""
        raise InvalidRequest(f"no database: {how}{url}", field=f"data.{role}.database")
    if is_reserved_database(database):
        raise InvalidRequest(f"found {database!r}, which belongs to the server itself", field=f"data.{role}.database")
    if name is None or is_reserved_collection(name):
        raise InvalidRequest(f"found {name!r}, which belongs to the server itself", field=f"data.{role}.{_noun(connection)}")
    return database, name


def _noun(connection: Connection) -> str:
    return "collection" if connection.kind == "mongodb" else "measurement"


def _refuse(place: Place, role: str, found: tuple[str, str], says: str, pairs: Sequence[tuple[str, str]]) -> None:
    """Raises InvalidRequest about the database, when nothing of it is accepted, else about the name."""
    database, name = found
    noun = "collection" if place.collection is not None else "measurement"
    field, value = (noun, name) if any(fnmatchcase(database, each) for each, _ in pairs) else ("database", database)
    shown = list(dict.fromkeys(".".join(pair) for pair in pairs))
    more = f" and {len(shown) - MOST_SHOWN} more" if len(shown) > MOST_SHOWN else ""
    accepted = (", ".join(shown[:MOST_SHOWN]) + more) or "nothing: its administrator names what, as `database.name`"
    raise InvalidRequest(f"found {value!r} ({database}.{name}); {says} {accepted}", field=f"data.{role}.{field}")
