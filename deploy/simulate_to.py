"""A made-up cluster into a configured connection instead of files, for load tests of the databases."""

from __future__ import annotations

import pandas as pd

from deploy.simulate import Cluster
from shared.config.connection import Connection
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from shared.domain.places import Place
from shared.domain.timegrid import to_epoch
from shared.drivers.faults import translated
from shared.drivers.influx import ErrorTypes, names_in, query, quoted_place
from shared.drivers.influx_write import write_lines
from shared.errors import InvalidRequest, SinkAway, SinkRefused

ERRORS = ErrorTypes(away=SinkAway, refused=SinkRefused)
BATCH_DOCUMENTS = 10_000
INDEX = [("queue", 1), ("timestamp", 1)]  # what makes reading one queue fast


def write_to(connection: Connection, place: Place, cluster: Cluster) -> dict[str, int]:
    """Write the cluster; returns queue → samples. Written again, the same samples take the place of the old ones.

    Raises:
        InvalidRequest: the connection takes no samples, or the place misses something. SinkAway, SinkRefused, CredentialsRefused.
    """
    match connection:
        case MongodbConnection():
            return {queue: _to_mongodb(connection, place, queue, frame) for queue, frame in cluster}
        case InfluxdbConnection():
            return {queue: _to_influxdb(connection, place, queue, frame) for queue, frame in cluster}
        case _:
            raise InvalidRequest(f"--to {place.name}: it takes no samples; accepted are databases, and for files --out DIR")


def others_at(connection: Connection, place: Place, own: set[str]) -> list[str]:
    """Queues that the place has besides these, sorted: whoever reads it would read them all."""
    match connection:
        case MongodbConnection():
            with translated(SinkAway, connection=place.name):
                found = {str(name) for name in connection.collection(place).distinct("queue")}
        case InfluxdbConnection():
            show = f'SHOW TAG VALUES FROM {quoted_place(str(place.measurement))} WITH KEY = "queue"'
            database = place.database or connection.database
            found = set(names_in(query(connection.server(), show, ERRORS, database=database), 1))
        case _:
            return []
    return sorted(found - own)


def _to_mongodb(connection: MongodbConnection, place: Place, queue: str, frame: pd.DataFrame) -> int:
    with translated(SinkAway, connection=place.name):
        documents = connection.collection(place)
        documents.create_index(INDEX)
        span = {"$gte": frame["timestamp"].min(), "$lte": frame["timestamp"].max()}
        documents.delete_many({"queue": {"$eq": queue}, "timestamp": span})
        for start in range(0, len(frame), BATCH_DOCUMENTS):
            rows = frame.iloc[start : start + BATCH_DOCUMENTS].to_dict("records")
            documents.insert_many([{str(name): value for name, value in row.items()} for row in rows], ordered=False)
    return len(frame)


def _to_influxdb(connection: InfluxdbConnection, place: Place, queue: str, frame: pd.DataFrame) -> int:
    """Names are ours, so lines are made by hand: the client's points take ten times as long, for millions of samples."""
    database = place.database or connection.database
    if database is None:
        raise InvalidRequest(f"--to {place.name}: it needs --database, or a database of the connection")
    quoted_place(database)
    quoted_place(str(place.measurement))
    numbers = frame.select_dtypes("number").columns
    columns = [[f"{name}={value!r}" for value in frame[name].astype(float)] for name in numbers]
    fields = [",".join(values) for values in zip(*columns, strict=True)]
    seconds = [to_epoch(moment) for moment in frame["timestamp"]]
    lines = [f"{place.measurement},queue={queue} {text} {at}" for text, at in zip(fields, seconds, strict=True)]
    write_lines(connection.server(), database, lines, ERRORS)
    return len(lines)
