"""What projects may read through which connection: what is collected of a cluster is there for those who may use the cluster."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.config.connection import Connection
from shared.config.settings import Settings
from shared.connections.files import FilesConnection
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from shared.connections.yarn import YarnConnection
from shared.domain.collected import KEPT_NAMES, ClusterSample, QueueSample
from shared.domain.places import Place
from shared.errors import InvalidRequest, SourceNotFound
from tests.factories import MONDAY
from tests.worker.sources.queries import a_query
from worker.collect.sinks.opened import open_samples
from worker.collect.tables import CLUSTER, QUEUES
from worker.job.resources import Resources
from worker.sources.base import Query
from worker.sources.files.calendar_files import calendar_text

END = MONDAY + timedelta(hours=6)
OUTSIDER, INSIDER = "outsider", "etl"
FOLDERS = ("yarn_queue/prod/**/*.parquet", "yarn_queue", "**", None, "*/*/*/*.parquet", "yarn_cluster/**")


def a_cluster(samples: str = "kept", cluster: str = "prod") -> YarnConnection:
    return YarnConnection.model_validate(
        {"cluster": cluster, "addresses": ["http://rm:8088"], "samples": samples, "projects": [INSIDER]}
    )


def write_samples(settings: Settings) -> None:
    moments = [MONDAY + timedelta(minutes=5 * number) for number in range(72)]
    common = {"cluster": "prod", "queue": "root.etl", "partition": "default"}
    queues = [QueueSample(**common, timestamp=at, demand_memory_mb=7, used_memory_mb=7) for at in moments]  # type: ignore[arg-type]
    sink = open_samples(settings, "kept")
    sink.write(QUEUES, queues)
    sink.write(CLUSTER, [ClusterSample(cluster="prod", timestamp=at) for at in moments])


@pytest.fixture(scope="module")
def of_files(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """A folder with samples and a file of everybody's; a link leads to the samples, and two connections into the same folder."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "own.csv").write_text("timestamp,queue,used_memory_mb\n2026-01-05T00:00:00Z,root.own,1\n")
    (folder / "link").symlink_to(folder / "yarn_queue")
    kept = FilesConnection(path=folder)
    below = FilesConnection(path=folder / "yarn_queue")
    settings = Settings(connections={"kept": kept, "again": kept, "below": below, "prod": a_cluster()})
    write_samples(settings)
    return Resources(settings)


@pytest.fixture(scope="module", params=["mongodb", "influxdb"])
def of_a_database(request: pytest.FixtureRequest) -> Resources:
    """A database with samples, to which two connections lead."""
    server = request.getfixturevalue("mongod" if request.param == "mongodb" else "influxd")
    server.make_database("of_others")
    kept: Connection
    if request.param == "mongodb":
        kept = MongodbConnection(url=SecretStr(server.url_of("of_others")))
    else:
        url = SecretStr(server.url)
        kept = InfluxdbConnection(url=url, version="1", token=server.token, database="of_others")
    settings = Settings(connections={"kept": kept, "again": kept, "prod": a_cluster()})
    write_samples(settings)
    return Resources(settings)


def asked(place: Place, queue: str = "root.etl") -> Query:
    return a_query(place, queue=queue, target="used_memory_mb", columns=(), start=MONDAY, end=END)


def refusal_of(resources: Resources, place: Place, project: str) -> str:
    """The same of every question: there is nothing."""
    source, told = resources.source(place, project), set()
    for ask in (source.queues, source.check, source.read):
        with pytest.raises(SourceNotFound) as refused:
            ask(asked(place))
        told.add(str(refused.value))
    assert len(told) == 1
    return told.pop()


@pytest.mark.parametrize("name", ["kept", "again"])
@pytest.mark.parametrize("path", FOLDERS)
def test_folders_of_samples_are_not_there_for_others(of_files: Resources, name: str, path: str | None) -> None:
    place = Place(name=name) if path is None else Place(name=name, path=path)
    if path in {None, "**"}:
        assert of_files.source(place, OUTSIDER).queues(asked(place, "")) == ["root.own"]
    else:
        missing = refusal_of(of_files, Place(name=name, path="nothing/**"), OUTSIDER)
        assert refusal_of(of_files, place, OUTSIDER) == missing.replace("nothing/**", str(path))


def test_neither_a_link_nor_a_connection_below_leads_to_them(of_files: Resources) -> None:
    for place in (Place(name="kept", path="link/**"), Place(name="below")):
        assert "found no CSV or Parquet file" in refusal_of(of_files, place, OUTSIDER)


def test_whoever_may_use_the_cluster_reads_its_folders(of_files: Resources) -> None:
    place = Place(name="kept", path="yarn_queue/prod/default")
    assert of_files.source(place, INSIDER).queues(asked(place, "")) == ["root.etl"]


def test_a_file_of_events_is_not_found_among_samples(of_files: Resources) -> None:
    connection = of_files.settings.connection("kept", project=OUTSIDER)
    assert isinstance(connection, FilesConnection)
    own = next((connection.path / "yarn_queue").rglob("*.parquet")).relative_to(connection.path)
    told = set()
    for path in (str(own), "nothing.ics"):
        with pytest.raises(SourceNotFound) as refused:
            calendar_text(connection, path)
        told.add(str(refused.value).replace(path, "it"))
    assert len(told) == 1


@pytest.mark.parametrize("name", ["kept", "again"])
def test_what_a_database_keeps_is_not_there_for_others(of_a_database: Resources, name: str) -> None:
    noun = of_a_database.settings.connection(name).noun  # type: ignore[attr-defined]
    missing = refusal_of(of_a_database, Place(name=name, others={}, **{noun: "nothing"}), OUTSIDER)
    for table in KEPT_NAMES:
        found = refusal_of(of_a_database, Place(name=name, **{noun: table}), OUTSIDER)
        assert found == missing.replace("nothing", table)


def test_whoever_may_use_the_cluster_reads_its_database(of_a_database: Resources) -> None:
    noun = of_a_database.settings.connection("kept").noun  # type: ignore[attr-defined]
    place = Place(name="kept", **{noun: "yarn_queue"})
    assert of_a_database.source(place, INSIDER).queues(asked(place, "")) == ["root.etl"]


def test_nobody_writes_forecasts_among_samples(of_a_database: Resources) -> None:
    noun = of_a_database.settings.connection("kept").noun  # type: ignore[attr-defined]
    for table in KEPT_NAMES:
        with pytest.raises(InvalidRequest, match="`queuecast collect` writes to"):
            of_a_database.sink(Place(name="kept", **{noun: table}), INSIDER)


def test_samples_of_two_clusters_in_one_place_are_for_those_who_may_use_both(tmp_path: Path) -> None:
    connections = {
        "kept": FilesConnection(path=tmp_path),
        "prod": a_cluster(),
        "test": a_cluster(cluster="test").model_copy(update={"projects": ["other"]}),
    }
    settings = Settings(connections=connections)
    for project in (INSIDER, "other", ""):
        assert settings.connection("kept", project=project) != connections["kept"]
    assert settings.connection("kept") == connections["kept"]
