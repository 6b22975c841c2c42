"""What a look at a connection shows: a value, whatever the server says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from shared.command.doctor import diagnose
from shared.config.connection import Look, State, look_at
from shared.config.settings import Settings
from shared.connections.files import FilesConnection
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from tests.influx_server import Influxd
from tests.servers import MongoServer


def mongo(url: str) -> MongodbConnection:
    return MongodbConnection(url=SecretStr(url))


def influx(url: str, **fields: Any) -> InfluxdbConnection:
    return InfluxdbConnection(url=SecretStr(url), version="1", **fields)


def test_a_collection_of_samples_without_its_index_is_told_with_the_command(mongod: MongoServer) -> None:
    with mongod.client() as client:
        client.drop_database("doctor")
        client.doctor.metrics.insert_one({"queue": "root.etl", "timestamp": datetime.now(UTC), "used_capacity": 5})
        client.doctor.notes.insert_one({"text": "no samples"})
        connection = mongo(mongod.url_of("doctor"))
        command = 'db.getCollection("metrics").createIndex({"queue": 1, "timestamp": 1})'
        assert look_at("m", connection) == Look(detail="answers, 2 collections in 'doctor'", advice=command)
        client.doctor.metrics.create_index([("queue", 1), ("timestamp", 1)])
        assert look_at("m", connection).advice == ""


def test_a_database_of_influxdb_is_read(influxd: Influxd) -> None:
    database = influxd.make_database("doctor")
    influxd.write(["m,queue=a v=1 1767225600"], database)
    assert look_at("i", influx(influxd.url, database=database)) == Look(detail="answers, 1 measurements in 'doctor'")
    assert look_at("i", influx(influxd.url, database="elsewhere")).state is State.MISSING


def test_an_influxdb_without_a_database_is_closed_and_the_doctor_says_what_opens_it(influxd: Influxd) -> None:
    assert "QUEUECAST_INFLUXDB_DATABASE" in look_at("i", influx(influxd.url)).advice
    assert look_at("i", influx(influxd.url, readable=("a.*",), writable=("b.*",))).advice == ""


def test_a_connection_to_what_mongodb_keeps_for_itself_is_ill() -> None:
    look = look_at("m", mongo("mongodb://127.0.0.1:1/admin"))
    assert (look.state, "'admin', a database of MongoDB's own" in look.detail) == (State.UNFIT, True)


def test_a_wrong_password_is_refused(mongod_with_users: MongoServer, influxd_with_users: Influxd) -> None:
    assert look_at("m", mongo(mongod_with_users.url_of("x", "reader:wrong"))).state is State.REFUSED
    assert look_at("i", influx(influxd_with_users.url, token=SecretStr("reader:wrong"))).state is State.REFUSED


def test_a_folder_is_there_or_it_is_not(tmp_path: Path) -> None:
    assert look_at("f", FilesConnection(path=tmp_path)).state is State.WELL
    assert look_at("f", FilesConnection(path=tmp_path / "gone")).state is State.MISSING


def test_a_database_that_is_away_is_a_finding_and_does_not_end_the_visit(tmp_path: Path) -> None:
    away = influx("http://127.0.0.1:1")
    seen = look_at("charts", away)
    assert (seen.state, seen.advice) == (State.AWAY, "jobs over it wait until it answers, up to their deadline")
    findings = {finding.name: finding for finding in diagnose(Settings(data_dir=tmp_path, connections={"charts": away}))}
    assert findings["connection charts"].verdict == "away"
    assert "broker" in findings
