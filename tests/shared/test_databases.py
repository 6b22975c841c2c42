"""What the doctor sees of the databases."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.connections import Connection
from shared.databases import look_at_influxdb, look_at_mongodb
from shared.doctor import diagnose
from shared.errors import CredentialsRefused, InvalidSettings, SourceAway
from shared.settings import Settings
from tests.influx_server import Influxd
from tests.servers import MongoServer


def test_a_collection_of_samples_without_its_index_is_told_with_the_command(mongod: MongoServer) -> None:
    with mongod.client() as client:
        client.drop_database("doctor")
        client.doctor.metrics.insert_one({"queue": "root.etl", "timestamp": datetime.now(UTC), "used_capacity": 5})
        client.doctor.notes.insert_one({"text": "no samples"})
        connection = Connection(kind="mongodb", url=SecretStr(mongod.url_of("doctor")))
        command = 'db.getCollection("metrics").createIndex({"queue": 1, "timestamp": 1})'
        assert look_at_mongodb("m", connection) == ("answers, 2 collections in 'doctor'", command)
        client.doctor.metrics.create_index([("queue", 1), ("timestamp", 1)])
        assert look_at_mongodb("m", connection)[1] == ""


def test_a_database_of_influxdb_is_read(influxd: Influxd) -> None:
    database = influxd.make_database("doctor")
    influxd.write(["m,queue=a v=1 1767225600"], database)
    url = SecretStr(influxd.url)
    assert look_at_influxdb("i", Connection(kind="influxdb", url=url, version="1", database=database)) == (
        "answers, 1 measurements in 'doctor'",
        "",
    )
    answer, advice = look_at_influxdb("i", Connection(kind="influxdb", url=url, version="1"))
    assert (answer, "QUEUECAST_INFLUXDB_DATABASE" in advice) == ("answers", True)


def test_a_connection_to_what_mongodb_keeps_for_itself_is_ill() -> None:
    with pytest.raises(InvalidSettings, match="'admin', a database of MongoDB's own"):
        look_at_mongodb("m", Connection(kind="mongodb", url=SecretStr("mongodb://127.0.0.1:1/admin")))


def test_a_wrong_password_is_refused(mongod_with_users: MongoServer, influxd_with_users: Influxd) -> None:
    with pytest.raises(CredentialsRefused):
        look_at_mongodb("m", Connection(kind="mongodb", url=SecretStr(mongod_with_users.url_of("x", "reader:wrong"))))
    secret = {"url": SecretStr(influxd_with_users.url), "token": SecretStr("reader:wrong")}
    with pytest.raises(CredentialsRefused):
        look_at_influxdb("i", Connection(kind="influxdb", version="1", **secret))


def test_a_database_that_is_away_is_a_finding_and_does_not_end_the_visit(tmp_path: Path) -> None:
    away = Connection(kind="influxdb", url=SecretStr("http://127.0.0.1:1"), version="1")
    with pytest.raises(SourceAway):
        look_at_influxdb("i", away)
    found = {each.name: each for each in diagnose(Settings(data_dir=tmp_path, connections={"charts": away}))}
    assert found["connection charts"].verdict == "away"
    assert "broker" in found
