"""A made-up cluster in real databases, read back as a job would."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from deploy.simulate import Cluster, simulate
from deploy.simulate_to import others_at, write_to
from shared.command.root import build_app
from shared.config.connection import Connection
from shared.connections.files import FilesConnection
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from shared.domain.jobs import Place
from shared.errors import InvalidRequest
from tests.factories import MONDAY
from tests.influx_server import Influxd
from tests.servers import MongoServer
from tests.worker.sources.queries import a_query, all_queues
from worker.sources import sources

NAMES = {"mongodb", "influxdb"}


def a_cluster() -> Cluster:
    return simulate(queues=3, days=2, step_seconds=300, seed=1, end=MONDAY)


@pytest.fixture(params=sorted(NAMES))
def connection(request: pytest.FixtureRequest) -> Connection:
    if request.param == "influxdb":
        server: Influxd = request.getfixturevalue("influxd")
        database = server.make_database("simulated")
        return InfluxdbConnection(url=SecretStr(server.url), version="1", database=database)
    mongod: MongoServer = request.getfixturevalue("mongod")
    with mongod.client() as client:
        client.drop_database("simulated")
    return MongodbConnection(url=SecretStr(mongod.url_of("simulated")))


def test_what_was_written_twice_is_there_once_and_can_be_read(connection: Connection) -> None:
    place = Place(name=connection.kind, collection="usage", measurement="usage")
    written = [write_to(connection, place, a_cluster()) for _ in range(2)]
    assert written[0] == written[1]
    assert others_at(connection, place, set(written[0])) == []
    assert others_at(connection, place, {"root.mine"}) == sorted(written[0])
    source = sources[connection.kind](connection)
    assert source.queues(all_queues(place)) == sorted(written[0])
    queue, samples = next(iter(written[0].items()))
    query = a_query(place, queue=queue, start=MONDAY - timedelta(days=2), end=MONDAY)
    reading = source.read(query)
    assert reading.rows == samples
    assert reading.advice == ()
    expected = dict(a_cluster())[queue].set_index("timestamp")["used_capacity"].resample("3600s", origin="epoch").mean().dropna()
    assert reading.frame["used_capacity"].tolist() == pytest.approx(expected.tolist())


def test_no_cluster_is_written_beside_queues_of_another_unless_told(mongod: MongoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with mongod.client() as client:
        client.drop_database("simulated")
        client["simulated"].usage.insert_one({"queue": "root.mine"})
    monkeypatch.setenv("QUEUECAST_MONGODB_URL", mongod.url_of("simulated"))
    words = ["simulate", "--to", "mongodb", "--place", "usage", "--queues", "2", "--days", "1", "--step", "1h"]
    refused = CliRunner().invoke(build_app(), words)
    assert refused.exit_code == 2
    assert "usage has other queues: root.mine; take another --place, or --force" in " ".join(refused.stderr.split())
    assert CliRunner().invoke(build_app(), [*words, "--force"]).exit_code == 0
    assert CliRunner().invoke(build_app(), [*words[:3], "--place", "new", *words[5:]]).exit_code == 0


def test_files_are_written_by_the_other_option(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="--out DIR"):
        write_to(FilesConnection(path=tmp_path), Place(name="files"), a_cluster())
