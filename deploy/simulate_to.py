"""A made-up cluster into a configured connection instead of files, for load tests of the databases."""

from __future__ import annotations

import pandas as pd

from deploy.simulate import Cluster
from shared.buckets import to_epoch
from shared.connections import Connection
from shared.drivers.faults import translated
from shared.drivers.influx import Telling, influx_server, quoted_place
from shared.drivers.influx_write import write_lines
from shared.drivers.mongo import mongo_collection
from shared.errors import InvalidRequest, SinkAway, SinkRefused
from shared.jobs import Place

BATCH_DOCUMENTS = 10_000
INDEX = [("queue", 1), ("timestamp", 1)]  # what makes reading one queue fast


def write_to(connection: Connection, place: Place, cluster: Cluster) -> dict[str, int]:
    """Write the cluster; returns queue → samples. Written again, the same samples take the place of the old ones.

    Raises:
        InvalidRequest: the connection takes no samples, or the place misses something. SinkAway, SinkRefused, CredentialsRefused.
    """
    match connection.kind:
        case "mongodb":
            return {queue: _to_mongodb(connection, place, queue, frame) for queue, frame in cluster}
        case "influxdb":
            return {queue: _to_influxdb(connection, place, queue, frame) for queue, frame in cluster}
        case "files":
            raise InvalidRequest(f"--to {place.name}: it takes files; accepted there is --out DIR")


def _to_mongodb(connection: Connection, place: Place, queue: str, frame: pd.DataFrame) -> int:
    with translated(SinkAway, connection=place.name):
        documents = mongo_collection(connection, place)
        documents.create_index(INDEX)
        span = {"$gte": frame["timestamp"].min(), "$lte": frame["timestamp"].max()}
        documents.delete_many({"queue": {"$eq": queue}, "timestamp": span})
        for start in range(0, len(frame), BATCH_DOCUMENTS):
            rows = frame.iloc[start : start + BATCH_DOCUMENTS].to_dict("records")
            documents.insert_many([{str(name): value for name, value in row.items()} for row in rows], ordered=False)
    return len(frame)


def _to_influxdb(connection: Connection, place: Place, queue: str, frame: pd.DataFrame) -> int:
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
    write_lines(influx_server(connection), database, lines, Telling(away=SinkAway, refused=SinkRefused))
    return len(lines)
