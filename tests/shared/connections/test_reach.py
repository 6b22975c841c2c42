"""What of a connection requests may read and write."""

from __future__ import annotations

from typing import Any

import pytest

from shared.config.connection import Connection
from shared.config.settings import load_settings
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from shared.domain.jobs import Place
from shared.errors import InvalidRequest, InvalidSettings


def influx(**limits: Any) -> Connection:
    return InfluxdbConnection(url="http://localhost:8086", **limits)  # type: ignore[arg-type]


def mongo(url: str = "mongodb://localhost/yarn", **limits: Any) -> Connection:
    return MongodbConnection(url=url, **limits)  # type: ignore[arg-type]


def collection(name: str, database: str | None = None) -> Place:
    return Place(name="x", collection=name, database=database)


def measurement(name: str, database: str | None = None) -> Place:
    return Place(name="x", measurement=name, database=database)


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("mongodb://localhost/yarn", "yarn"),
        ("mongodb://user:p%40ss@h1:1,h2:2/yarn?replicaSet=rs0", "yarn"),
        ("mongodb+srv://cluster.example.org/yarn", "yarn"),
        ("mongodb://%2Ftmp%2Fmongodb-27017.sock/yarn", "yarn"),
        ("mongodb://localhost/yarn.metrics", "yarn"),
        ("mongodb://localhost/%61dmin", "admin"),
        ("mongodb://localhost", None),
        ("mongodb://localhost/?authSource=admin", None),
        ("mongodb://localhost?a=/hr", None),
    ],
)
def test_the_database_of_a_mongodb_is_the_one_in_its_url(url: str, database: str | None) -> None:
    assert mongo(url).own_database == database
    assert mongo(url, database="other").own_database == "other"


@pytest.mark.parametrize(
    ("connection", "place"),
    [
        (mongo(), collection("anything")),
        (mongo(), collection("anything", "yarn")),
        (mongo(databases=("old",)), collection("anything", "old")),
        (mongo(readable=("queue_*",)), collection("queue_metrics")),
        (mongo(readable=("queue_*",), databases=("old",)), collection("queue_metrics", "old")),
        (mongo(readable=("yarn.*", "other.queue_metrics")), collection("queue_metrics", "other")),
        (mongo(readable=("yarn.queue.usage",)), collection("queue.usage")),
        (mongo(readable=("20??.*",)), collection("c", "2025")),
        (influx(database="telegraf"), measurement("cpu")),
        (influx(readable=("telegraf.yarn_*",)), measurement("yarn_queues", "telegraf")),
        (influx(readable=("a.b.cpu",)), measurement("cpu", "a.b")),
    ],
)
def test_what_may_be_read_is_read(connection: Connection, place: Place) -> None:
    connection.check_reach(place, "source")


@pytest.mark.parametrize(
    ("connection", "place", "field", "accepted"),
    [
        (mongo(), collection("staff", "hr"), "database", r"'hr' \(hr\.staff\); x is read in yarn\.\*$"),
        (mongo("mongodb://localhost"), collection("staff", "hr"), "database", "nothing: its administrator gives it"),
        (mongo("mongodb://localhost"), collection("staff"), "database", "no database: name it"),
        (mongo(readable=("queue_*",)), collection("salaries"), "collection", r"read in yarn\.queue_\*$"),
        (mongo(readable=("queue_*",)), collection("queue_x", "hr"), "database", "read in yarn"),
        (mongo(readable=("other.*",)), collection("queue_x"), "database", r"read in other\.\*$"),
        (mongo(readable=()), collection("queue_x"), "database", "nothing"),
        (mongo(readable=("*.*",)), collection("system.users"), "collection", "belongs to the server"),
        (mongo(readable=("*.*",)), collection("c", "admin"), "database", "belongs to the server"),
        (mongo("mongodb://localhost/admin"), collection("c"), "database", "belongs to the server"),
        (influx(), measurement("cpu", "hr"), "database", "nothing"),
        (influx(database="telegraf"), measurement("cpu", "hr"), "database", r"telegraf\.\*"),
        (influx(readable=("*.*",)), measurement("cpu", "_internal"), "database", "belongs to the server"),
        (influx(database="a"), measurement("cpu", "a.b"), "database", r"a\.\*"),
    ],
)
def test_nothing_else_is_read(connection: Connection, place: Place, field: str, accepted: str) -> None:
    with pytest.raises(InvalidRequest, match=accepted) as refused:
        connection.check_reach(place, "source")
    assert refused.value.ids["field"] == f"data.source.{field}"


@pytest.mark.parametrize(
    ("connection", "place"),
    [
        (influx(), measurement("anything", "anywhere")),  # its URL can name no database
        (influx(writable=("queue_*",)), measurement("queue_usage", "anywhere")),
        (influx(writable_databases=("fc",), database="fc"), measurement("m")),
        (influx(writable_databases=("fc", "test_?")), measurement("m", "test_1")),
        (influx(database="telegraf", writable=("fc.queue_*",)), measurement("queue_usage", "fc")),
        (mongo(), collection("forecasts")),
        (mongo(writable=("forecasts",), writable_databases=("y*",)), collection("forecasts", "yarn")),
        (mongo(databases=("old",), writable=("f*",)), collection("forecasts", "old")),
        (mongo(readable=(), writable=("forecasts",)), collection("forecasts")),
    ],
)
def test_where_forecasts_may_be_written_they_are(connection: Connection, place: Place) -> None:
    connection.check_reach(place, "destination")


@pytest.mark.parametrize(
    ("connection", "place", "field", "accepted"),
    [
        (influx(writable=("queue_*",), database="fc"), measurement("cpu"), "measurement", r"fc\.queue_\*"),
        (influx(writable=("queue",), database="fc"), measurement("QUEUE"), "measurement", r"fc\.queue$"),
        (influx(), measurement("m", "_internal"), "database", "belongs to the server"),
        (influx(writable_databases=("fc",), database="telegraf"), measurement("m"), "database", r"fc\.\*"),
        (influx(writable_databases=("fc",)), measurement("m", "fc2"), "database", r"fc\.\*"),
        (mongo(writable=()), collection("c"), "database", "nothing"),
        (mongo(writable=("a", "b")), collection("c"), "collection", r"yarn\.a, yarn\.b"),
        (mongo(writable_databases=("fc",)), collection("c"), "database", r"fc\.\*"),
        (mongo(), collection("staff", "hr"), "database", r"yarn\.\*"),
    ],
)
def test_nothing_else_is_written(connection: Connection, place: Place, field: str, accepted: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{accepted}") as refused:
        connection.check_reach(place, "destination")
    assert refused.value.ids["field"] == f"data.destination.{field}"


def test_a_long_list_is_cut_short_in_the_message() -> None:
    with pytest.raises(InvalidRequest, match=r"n0, yarn\.n1, .* and 5 more$"):
        mongo(readable=tuple(f"n{number}" for number in range(15))).check_reach(collection("c"), "source")


def test_a_message_may_ask_what_it_may_name() -> None:
    connection = influx(database="telegraf", readable=("yarn_*",))
    assert connection.may_read("telegraf", "yarn_queues")
    assert not connection.may_read("telegraf", "payroll")


def test_files_are_written_to_nowhere_else_anyway() -> None:
    with pytest.raises(InvalidSettings, match=r"connections\.x\.writable is no setting"):
        load_settings(connections={"x": {"kind": "files", "path": "/tmp", "writable": ["a"]}})  # noqa: S108 - nothing is written
