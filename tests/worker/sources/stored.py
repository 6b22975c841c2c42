"""The ways in which rows may lie at each kind of source."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.connections.files import FilesConnection
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from shared.domain.jobs import Place
from tests.influx_server import Influxd
from tests.metrics_server import MetricsServer, samples_of
from tests.servers import MongoServer
from worker.sources import sources
from worker.sources.base import Source


def store_csv(folder: Path, rows: pd.DataFrame) -> tuple[Source, Place]:
    rows.assign(timestamp=rows.timestamp.map(lambda moment: moment.isoformat())).to_csv(folder / "rows.csv", index=False)
    return open_files(folder, "rows.csv")


def store_parquet(folder: Path, rows: pd.DataFrame) -> tuple[Source, Place]:
    rows.to_parquet(folder / "rows.parquet")
    return open_files(folder, "rows.parquet")


def store_one_file_per_queue(folder: Path, rows: pd.DataFrame) -> tuple[Source, Place]:
    for queue, own in rows.groupby("queue"):
        own.drop(columns="queue").to_parquet(folder / f"{queue}.parquet")
    return open_files(folder, None)


def store_partitioned(folder: Path, rows: pd.DataFrame) -> tuple[Source, Place]:
    for queue, own in rows.groupby("queue"):
        for number, part in enumerate((own.iloc[: len(own) // 2], own.iloc[len(own) // 2 :])):
            part_path = folder / f"queue={queue}" / f"part-{number}.parquet"
            part_path.parent.mkdir(exist_ok=True)
            part.drop(columns="queue").to_parquet(part_path)
    return open_files(folder, "**/*.parquet")


def open_files(folder: Path, pattern: str | None) -> tuple[Source, Place]:
    return sources["files"](FilesConnection(path=folder)), Place(name="files", path=pattern)


def store_points(server: Influxd, rows: pd.DataFrame) -> tuple[Source, Place, pd.DataFrame]:
    """InfluxDB holds no broken values, and of two points of one moment the later one."""
    tags = [name for name in ("queue", "partition") if name in rows.columns]
    whole = rows.replace([np.inf, -np.inf], np.nan).dropna().drop_duplicates([*tags, "timestamp"], keep="last")
    names = [name for name in whole.columns if name not in {*tags, "timestamp"}]
    records = whole.to_dict("records")
    series = ["".join(f",{name}={row[name]}" for name in tags if row[name]) for row in records]
    fields = [",".join(f"{name}={json.dumps(row[name])}" for name in names) for row in records]
    seconds = [int(moment.timestamp()) for moment in whole.timestamp]
    database = server.make_database("sources")
    server.write((f"usage{own} {text} {at}" for own, text, at in zip(series, fields, seconds, strict=True)), database)
    connection = InfluxdbConnection(url=server.url, version="1", database=database)
    return sources["influxdb"](connection), Place(name="influxdb", measurement="usage"), whole


def store_documents(server: MongoServer, rows: pd.DataFrame) -> tuple[Source, Place]:
    return open_collection(server, rows, indexes=[[("queue", 1), ("timestamp", 1)]])


def store_documents_without_an_index(server: MongoServer, rows: pd.DataFrame) -> tuple[Source, Place]:
    return open_collection(server, rows, indexes=[])


def store_time_series(server: MongoServer, rows: pd.DataFrame) -> tuple[Source, Place]:
    return open_collection(server, rows, indexes=[], timeseries={"timeField": "timestamp", "metaField": "queue"})


def open_collection(server: MongoServer, rows: pd.DataFrame, *, indexes: list[Any], **options: Any) -> tuple[Source, Place]:
    documents = [{**row, "timestamp": row["timestamp"].to_pydatetime()} for row in rows.to_dict("records")]
    with server.client() as client:
        client.drop_database("sources")
        collection = client["sources"].create_collection("usage", **options)
        collection.insert_many(documents)
        for keys in indexes:
            collection.create_index(keys)
    return sources["mongodb"](MongodbConnection(url=server.url_of("sources"))), Place(name="mongodb", collection="usage")


def store_metrics(server: MetricsServer, rows: pd.DataFrame) -> tuple[Source, Place, pd.DataFrame]:
    """Prometheus holds NaN and infinite values, and one sample of a series and time."""
    texts = [name for name in ("queue", "partition") if name in rows.columns]
    whole = rows.drop_duplicates([*texts, "timestamp"], keep="last")
    metric = server.store(samples_of(whole, "column"))
    return sources["prometheus"](server.connection()), Place(name="prometheus", others=labelled(metric)), whole


def labelled(metric: str) -> dict[str, str]:
    """What a place says of a metric whose label `column` names columns."""
    return {"metric": metric, "metric_label": "column"}


def keep(request: pytest.FixtureRequest, way: tuple[str, Callable[..., Any]], rows: pd.DataFrame) -> tuple[Any, ...]:
    """What a way of storing gives, in the place (a fixture) that it is for."""
    name, store = way
    where = request.getfixturevalue(name)
    found: tuple[Any, ...] = store(where() if name == "empty_folder" else where, rows)
    return found


# source → where its rows may lie (a fixture), and the ways in which; each takes the place and rows (queue, timestamp, numbers …)
# and may give the rows as they are kept there, where that is not the same
STORED: dict[str, tuple[str, tuple[Callable[..., Any], ...]]] = {
    "files": ("empty_folder", (store_csv, store_parquet, store_one_file_per_queue, store_partitioned)),
    "influxdb": ("influxd", (store_points,)),
    "mongodb": ("mongod", (store_documents, store_documents_without_an_index, store_time_series)),
    "prometheus": ("metrics_server", (store_metrics,)),
}
WAYS = [pytest.param((where, way), id=f"{name}-{way.__name__}") for name, (where, ways) in STORED.items() for way in ways]
