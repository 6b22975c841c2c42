"""Every sink of samples: what is written is there once, as it was written, and goes when it is old."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from tests.factories import MONDAY
from worker.collect.sinks.base import SampleSink
from worker.collect.sinks.influx import InfluxSamples
from worker.collect.sinks.mongo import MongoSamples
from worker.collect.sinks.parquet import ParquetSamples
from worker.collect.tables import CLUSTER, CONFIG, QUEUES, ROLLUPS, ClusterSample, ConfigChange, QueueSample, Rollup, Row, Table

LATER = MONDAY + timedelta(seconds=30)
TOMORROW = MONDAY + timedelta(days=1)


@pytest.fixture(params=["parquet", "mongodb", "influxdb"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> SampleSink:
    if request.param == "parquet":
        return ParquetSamples(tmp_path)
    if request.param == "mongodb":
        mongod = request.getfixturevalue("mongod")
        mongod.make_database("samples")
        return MongoSamples(MongodbConnection(url=SecretStr(mongod.url_of("samples"))), "mongodb")
    influxd = request.getfixturevalue("influxd")
    influxd.make_database("samples")
    connection = InfluxdbConnection(url=SecretStr(influxd.url), version="1", token=influxd.token, database="samples")
    return InfluxSamples(connection, "influxdb")


def a_sample(queue: str = "root.etl", at: datetime = MONDAY, **changes: object) -> QueueSample:
    sample = QueueSample(
        cluster="prod", queue=queue, partition="default", timestamp=at, demand_memory_mb=7_168, used_capacity=87.5
    )
    return replace(sample, **changes)


ROWS: list[tuple[Table, Row]] = [
    (QUEUES, a_sample("root.users/*", is_running=1)),
    (QUEUES, a_sample('root.a "b", c=d', partition="gpu_1")),
    (QUEUES, a_sample(partition="..")),
    (CLUSTER, ClusterSample(cluster="prod", timestamp=MONDAY, total_memory_mb=10, nodes_lost=0)),
    (ROLLUPS, Rollup(cluster="prod", queue="root", partition="default", timestamp=MONDAY, samples=10, demand_vcores_above=0.25)),
    (
        CONFIG,
        ConfigChange(
            cluster="prod",
            queue="root.etl",
            partition="default",
            changed_at=MONDAY,
            mode="mixed",
            capacity="[memory=50%,vcores=2w]",
            maximum="",
            weight=None,
            state="RUNNING",
            by="seen",
            before='40, "x"',
        ),
    ),
]


def everything(sink: SampleSink, table: Table = QUEUES, cluster: str = "prod") -> list[Row]:
    return sorted(sink.read(table, cluster, MONDAY - timedelta(days=9), MONDAY + timedelta(days=9)), key=str)


def test_what_is_written_is_read_as_it_was(sink: SampleSink) -> None:
    for table, row in ROWS:
        sink.write(table, [row])
    for table in (QUEUES, CLUSTER, ROLLUPS, CONFIG):
        assert everything(sink, table) == sorted((row for its, row in ROWS if its == table), key=str)


def test_a_retry_doubles_nothing_and_the_last_word_counts(sink: SampleSink) -> None:
    for demand in (1, 2, 2):
        sink.write(QUEUES, [a_sample(demand_memory_mb=demand), a_sample("root.adhoc", demand_memory_mb=demand)])
    assert {(row.queue, row.demand_memory_mb) for row in everything(sink)} == {("root.etl", 2), ("root.adhoc", 2)}
    assert len(everything(sink)) == 2


def test_a_span_of_one_cluster_is_read(sink: SampleSink) -> None:
    sink.write(QUEUES, [a_sample(at=at) for at in (MONDAY, LATER, TOMORROW)])
    sink.write(QUEUES, [a_sample(cluster="test")])
    assert [row.timestamp for row in sink.read(QUEUES, "prod", MONDAY, LATER)] == [MONDAY]
    assert [row.timestamp for row in sink.read(QUEUES, "prod", LATER, TOMORROW + timedelta(seconds=1))] == [LATER, TOMORROW]
    assert len(everything(sink, cluster="test")) == 1


def test_what_is_old_goes_and_no_other_cluster_s(sink: SampleSink) -> None:
    for cluster in ("prod", "test"):
        sink.write(QUEUES, [a_sample(at=at, cluster=cluster) for at in (MONDAY - timedelta(days=3), MONDAY)])
    sink.forget(QUEUES, "prod", MONDAY - timedelta(days=1))
    assert [row.timestamp for row in everything(sink)] == [MONDAY]
    assert len(everything(sink, cluster="test")) == 2
