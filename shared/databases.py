"""What the doctor asks of the databases that are connections: do they answer us, and have they the indexes that jobs want?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pymongo

from shared.connections import Connection
from shared.drivers.faults import translated
from shared.drivers.influx import Telling, influx_server, query, quoted_place
from shared.drivers.mongo import REACHED_SECONDS, mongo_client, mongo_database, refuse_own_store
from shared.errors import InvalidSettings, SourceAway, SourceNotFound
from shared.names import is_reserved_database
from shared.reach import may_read

MOST_COLLECTIONS = 20  # that are looked at
OPEN_INFLUX = (
    "it names no database: nothing of it can be read, and a request may write to any; give it a `database`"
    " (QUEUECAST_INFLUXDB_DATABASE), or `readable` and `writable`"
)
QUEUE, TIME = "queue", "timestamp"  # as requests call them unless they say otherwise


def look_at_mongodb(name: str, connection: Connection) -> tuple[str, str]:
    """What was found, and advice; a real read, as a ping succeeds without credentials. Raises SourceAway, CredentialsRefused."""
    if connection.url is None:
        raise InvalidSettings(f"the connection {name} has no url")
    if is_reserved_database(connection.own_database or ""):
        raise InvalidSettings(f"the connection {name} names {connection.own_database!r}, a database of MongoDB's own")
    client = mongo_client(connection.url.get_secret_value(), patience="source")
    with translated(SourceAway, connection=name), pymongo.timeout(REACHED_SECONDS):
        database = mongo_database(client, connection.database)
        refuse_own_store(database)
        found = database.list_collection_names(filter={"type": "collection"}, authorizedCollections=True)
        names = sorted(each for each in found if may_read(connection, database.name, each))
        advice = "; ".join(_wanted_indexes(database, names[:MOST_COLLECTIONS]))
    return f"answers, {len(names)} collections in {database.name!r}", advice


def look_at_influxdb(_name: str, connection: Connection) -> tuple[str, str]:
    """The same; `/ping` proves nothing. Of a connection without a database nothing is read, and any is written to."""
    server, telling = influx_server(connection), Telling(away=SourceAway, refused=SourceNotFound)
    if connection.database is None:
        query(server, "SHOW DATABASES", telling)
        return "answers", OPEN_INFLUX if connection.readable is None else ""
    quoted_place(connection.database)
    found = query(server, "SHOW MEASUREMENTS", telling, database=connection.database)
    names = [str(row[0]) for series in found for row in series.rows]
    count = sum(may_read(connection, connection.database, each) for each in names)
    return f"answers, {count} measurements in {connection.database!r}", ""


def _wanted_indexes(database: pymongo.database.Database[dict[str, Any]], names: list[str]) -> Iterator[str]:
    """The command for each collection of samples that has to be read as a whole for every queue."""
    for name in names:
        sample = database[name].find_one() or {}
        if QUEUE in sample and isinstance(sample.get(TIME), datetime):
            keys = [[field for field, _ in index["key"]] for index in database[name].index_information().values()]
            if not any(fields[:2] == [QUEUE, TIME] for fields in keys):
                yield f'db.getCollection("{name}").createIndex({{"{QUEUE}": 1, "{TIME}": 1}})'
