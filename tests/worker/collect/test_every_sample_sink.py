"""Every sink of samples: what is written is there once, as it was written, and goes when it is old."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from math import isnan
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.config.connection import Connection
from shared.config.settings import Settings
from shared.connections.files import FilesConnection
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from shared.connections.yarn import YarnConnection
from shared.domain.collected import ClusterSample, QueueSample
from shared.domain.places import Place
from shared.errors import InvalidSettings, UnknownConnection
from shared.store import open_store
from tests.factories import MONDAY
from tests.worker.collect.cluster import a_tree
from tests.worker.sources.queries import a_query
from worker.collect.keeping import Keeping
from worker.collect.sinks.base import SampleSink
from worker.collect.sinks.opened import open_samples
from worker.collect.tables import CLUSTER, CONFIG, QUEUES, ROLLUPS, ConfigChange, Rollup, Row, Table
from worker.sources import sources

LATER = MONDAY + timedelta(seconds=30)
TOMORROW = MONDAY + timedelta(days=1)


PLACES = {
    "files": {"path": "yarn_queue/prod"},
    "mongodb": {"collection": "yarn_queue"},
    "influxdb": {"measurement": "yarn_queue"},
}


@pytest.fixture(params=sorted(PLACES))
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Connection:
    if request.param == "files":
        return FilesConnection(path=tmp_path)
    if request.param == "mongodb":
        mongod = request.getfixturevalue("mongod")
        mongod.make_database("samples")
        return MongodbConnection(url=SecretStr(mongod.url_of("samples")))
    influxd = request.getfixturevalue("influxd")
    influxd.make_database("samples")
    return InfluxdbConnection(url=SecretStr(influxd.url), version="1", token=influxd.token, database="samples")


@pytest.fixture
def sink(connection: Connection) -> SampleSink:
    return open_samples(Settings(connections={"samples": connection}), "samples")


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


def test_a_cluster_is_kept_from_its_first_look_on_in_every_sink(sink: SampleSink, tmp_path: Path) -> None:
    store = open_store(f"sqlite://{tmp_path / 'store.db'}")
    keeping = Keeping(YarnConnection(cluster="prod", addresses=("http://rm:8088",)), sink, store)
    for place in range(11):
        assert keeping.keep(a_tree(place), MONDAY + place * timedelta(seconds=30)) == 3
    [whole] = [row for row in everything(sink, ROLLUPS) if isinstance(row, Rollup) and row.queue == "root.etl"]
    assert (whole.timestamp, whole.samples, whole.used_memory_mb) == (MONDAY, 10, 4.5)
    sink.write(QUEUES, [])
    assert sum(isinstance(row, QueueSample) and row.queue == "root.etl" for row in everything(sink)) == 11
    assert len(everything(sink, CONFIG)) == 3


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


def test_jobs_read_demand_of_one_queue_and_partition(sink: SampleSink, connection: Connection) -> None:
    hours = [MONDAY + timedelta(hours=hour) for hour in range(4)]
    sink.write(QUEUES, [a_sample(at=at, demand_memory_mb=place) for place, at in enumerate(hours)])
    sink.write(QUEUES, [a_sample(at=at, demand_memory_mb=9, partition="gpu") for at in hours])
    sink.write(QUEUES, [a_sample("root.adhoc", at=at) for at in hours])
    query = a_query(
        Place(name="samples", **PLACES[connection.kind]),
        target="demand_memory_mb",
        where={"partition": ("default",)},
        start=MONDAY,
        end=MONDAY + timedelta(hours=4),
    )
    source = sources[connection.kind](connection)
    assert source.queues(query) == ["root.adhoc", "root.etl"]
    assert list(source.read(query).frame["demand_memory_mb"]) == [0.0, 1.0, 2.0, 3.0]


def test_a_connection_that_takes_no_samples_is_refused() -> None:
    settings = Settings(connections={"rm": YarnConnection(cluster="prod", addresses=("http://rm:8088",))})
    with pytest.raises(InvalidSettings, match="'rm' is of kind yarn; samples are kept by"):
        open_samples(settings, "rm")
    with pytest.raises(UnknownConnection, match="found 'nowhere'"):
        open_samples(settings, "nowhere")


def test_some_columns_of_some_queues_are_read_over_time(sink: SampleSink) -> None:
    columns = ("demand_memory_mb_p95", "waiting_masters")
    assert sink.series("prod", columns, MONDAY, TOMORROW) == []
    later = MONDAY + timedelta(minutes=5)
    whose = {"cluster": "prod", "partition": "default", "samples": 10}
    for queue in ("root.a", 'root.b "c", d=e', "root.z"):
        for place, at in enumerate((later, MONDAY, later, TOMORROW)):
            sink.write(ROLLUPS, [Rollup(queue=queue, timestamp=at, demand_memory_mb_p95=float(place), **whose)])
    sink.write(ROLLUPS, [Rollup(queue="root.a", timestamp=MONDAY, waiting_masters=0.5, **whose | {"partition": "gpu"})])
    sink.write(ROLLUPS, [Rollup(queue="root.a", timestamp=MONDAY, **whose | {"cluster": "test"})])
    found = sink.series("prod", columns, MONDAY, TOMORROW, queues=["root.a", 'root.b "c", d=e', "root.none"])
    assert [(series.queue, series.partition) for series in found] == [
        ("root.a", "default"),
        ("root.a", "gpu"),
        ('root.b "c", d=e', "default"),
    ]
    assert [[*series.at] for series in found] == [
        [int(at.timestamp()) for at in times] for times in ([MONDAY, later], [MONDAY], [MONDAY, later])
    ]
    assert [*found[0].columns["demand_memory_mb_p95"]] == [1.0, 2.0]
    assert [*found[1].columns["waiting_masters"]] == [0.5]
    assert all(isnan(value) for value in (*found[0].columns["waiting_masters"], *found[1].columns["demand_memory_mb_p95"]))
    assert {series.queue for series in sink.series("prod", ("samples",), MONDAY, TOMORROW)} >= {"root.a", "root.z"}
    assert sink.series("prod", columns, MONDAY, TOMORROW, queues=[]) == []
