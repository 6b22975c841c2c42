"""InfluxDB as a sink: the three measurements to the letter, both ways of writing, and what a server may refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from shared.config.settings import Settings
from shared.connections.influxdb import InfluxdbConnection
from shared.domain.jobs import Place
from shared.errors import CredentialsRefused, InvalidSettings, SinkAway, SinkRefused
from tests.factories import MONDAY, a_forecast
from tests.influx_server import Influxd
from tests.worker.sinks.v2_gateway import v2_gateway
from worker.sinks import sinks
from worker.sinks._influx_points import lines_of
from worker.sinks.base import Sink

DATABASE, PLACE = "forecasts", Place(name="influxdb", measurement="usage")
MEASUREMENTS = ("usage", "usage_issued", "usage_run")
START = int(MONDAY.timestamp())


def a_sink(url: str, *, version: str = "1", token: str | None = None, database: str | None = DATABASE) -> Sink:
    secret = SecretStr(token) if token else None
    connection = InfluxdbConnection(url=SecretStr(url), version=version, token=secret, database=database)  # type: ignore[arg-type]
    return sinks["influxdb"](connection, Settings())


@pytest.fixture
def database(influxd: Influxd) -> str:
    return influxd.make_database(DATABASE)


@pytest.fixture(params=["1", "2"])
def sink(request: pytest.FixtureRequest, influxd: Influxd, database: str) -> Iterator[Sink]:
    """Over /write, and over influxdb-client."""
    if request.param == "1":
        yield a_sink(influxd.url)
    else:
        with v2_gateway(influxd.url) as url:
            yield a_sink(url, version="2")


def points(influxd: Influxd, measurement: str) -> list[dict[str, Any]]:
    found = influxd.query(f'SELECT * FROM "{measurement}"', DATABASE)
    return [dict(zip(series.columns, row, strict=True)) for series in found for row in series.rows]


def test_the_three_measurements_are_those_of_the_contract(sink: Sink, influxd: Influxd) -> None:
    for _ in range(2):
        sink.write(a_forecast(), PLACE)
    assert [len(points(influxd, name)) for name in MEASUREMENTS] == [3, 3, 1]  # however often it is written
    tags = {"job": "Resource Forecasting", "metric": "used_capacity", "queue": "root.etl"}
    numbers = {"prediction": 60.0, "lower_bound": 45.0, "upper_bound": 75.0, "issued_at": START, "model": "seasonal_naive"}
    second = {"time": START + 3_600, **tags, **numbers}
    assert points(influxd, "usage")[1] == second | {"step": 2}
    issued = points(influxd, "usage_issued")[1]
    assert {name: value for name, value in issued.items() if not name.startswith("step")} == second
    assert "002" in issued.values()
    run = {"model": "seasonal_naive", "mape": 7.5, "skill": 0.2, "horizon": 3, "seconds": 1.5, "job_id": "job-1"}
    assert points(influxd, "usage_run") == [{"time": START, **tags, **run}]


def test_both_ways_of_writing_give_equal_points(influxd: Influxd, database: str) -> None:
    with v2_gateway(influxd.url) as url:
        ways = (a_sink(influxd.url), a_sink(url, version="2"))
        for sink, measurement in zip(ways, ("one", "two"), strict=True):
            sink.write(a_forecast(queue='root.a b,c="d"'), Place(name="influxdb", measurement=measurement))
    for suffix in ("", "_issued", "_run"):
        assert points(influxd, f"one{suffix}") == points(influxd, f"two{suffix}") != []


@pytest.mark.parametrize("queue", ["a\nadmin,x=y v=666", "root\\", "a\x00b", "a\x85b", "a\ud800b"])
def test_a_name_that_would_be_changed_or_write_elsewhere_is_refused(sink: Sink, influxd: Influxd, queue: str) -> None:
    with pytest.raises(SinkRefused, match="cannot be a tag"):
        sink.write(a_forecast(queue=queue), PLACE)
    assert influxd.query("SHOW MEASUREMENTS", DATABASE) == []


def test_a_missing_database_is_told_before_anything_is_trained(sink: Sink, influxd: Influxd) -> None:
    nowhere = Place(name="influxdb", measurement="usage", database="nowhere")
    remedy = r"not found.*; create it: (CREATE DATABASE \"nowhere\"|influx bucket create --name nowhere)$"
    with pytest.raises(SinkRefused, match=remedy):
        sink.check(nowhere)
    with pytest.raises(SinkRefused, match=remedy):
        sink.write(a_forecast(), nowhere)
    sink.check(PLACE)


def test_a_field_of_another_type_is_refused_and_named(sink: Sink, influxd: Influxd) -> None:
    influxd.write([f'usage,queue=x prediction="text" {START}'], DATABASE)
    with pytest.raises(SinkRefused, match="prediction"):
        sink.write(a_forecast(), PLACE)


def test_points_beyond_the_retention_period_are_a_partial_write_and_reported(sink: Sink, influxd: Influxd) -> None:
    influxd.query(f'ALTER RETENTION POLICY "autogen" ON "{DATABASE}" DURATION 1h SHARD DURATION 1h DEFAULT')
    with pytest.raises(SinkRefused, match="partial write"):
        sink.write(a_forecast(), PLACE)


def test_a_wrong_password_is_told_as_authentication(influxd_with_users: Influxd) -> None:
    for token in ("writer:wrong", "nobody:x"):
        with pytest.raises(CredentialsRefused, match="authentication failed"):
            a_sink(influxd_with_users.url, token=token, database="usage").check(PLACE)
    with v2_gateway(influxd_with_users.url) as url, pytest.raises(CredentialsRefused, match="authentication failed"):
        a_sink(url, version="2", token="writer:wrong", database="usage").check(PLACE)


def test_a_user_who_may_only_read_is_told_so(influxd_with_users: Influxd) -> None:
    with pytest.raises(CredentialsRefused, match="not allowed"):
        a_sink(influxd_with_users.url, token="reader:reader", database="usage").check(PLACE)
    a_sink(influxd_with_users.url, token="writer:writer", database="usage").check(PLACE)


def test_a_user_who_may_only_write_is_enough(influxd_with_users: Influxd) -> None:
    influxd_with_users.make_database(DATABASE)
    influxd_with_users.query("CREATE USER sink WITH PASSWORD 'sink'")
    influxd_with_users.query(f'GRANT WRITE ON "{DATABASE}" TO sink')
    sink = a_sink(influxd_with_users.url, token="sink:sink")
    sink.check(PLACE)
    for length in (3, 1):
        sink.write(a_forecast(prediction=(1.0,) * length, lower_bound=(0.0,) * length, upper_bound=(2.0,) * length), PLACE)
    assert influxd_with_users.count("usage", DATABASE, "step") == 1
    with v2_gateway(influxd_with_users.url) as url:
        a_sink(url, version="2", token="sink:sink").write(a_forecast(), PLACE)
    assert influxd_with_users.count("usage", DATABASE, "step") == 3


def test_a_server_that_went_away_in_the_middle_has_the_forecast_once_when_it_is_back(influxd: Influxd, database: str) -> None:
    sink = a_sink(influxd.url)
    influxd.write(lines_of(a_forecast(), "usage")[:3], DATABASE)  # of seven
    influxd.stop()
    try:
        with pytest.raises(SinkAway):
            sink.write(a_forecast(), PLACE)
    finally:
        influxd.start()
    sink.write(a_forecast(), PLACE)
    counts = [influxd.count(name, DATABASE, "horizon" if name == "usage_run" else "prediction") for name in MEASUREMENTS]
    assert counts == [3, 3, 1]


@pytest.mark.parametrize("measurement", ['m"; drop database forecasts --', "a\nadmin v=666", "/.*/", "admin", "m" * 115])
def test_a_hostile_measurement_goes_nowhere(sink: Sink, influxd: Influxd, measurement: str) -> None:
    place = Place(name="influxdb", measurement=measurement)
    for act in (lambda: sink.check(place), lambda: sink.write(a_forecast(), place)):
        with pytest.raises(InvalidSettings, match="is no name that InfluxDB is asked for"):
            act()
    assert influxd.query("SHOW MEASUREMENTS", DATABASE) == []


def test_a_measurement_and_a_database_must_be_named(sink: Sink, influxd: Influxd) -> None:
    for wanting, place, name in (
        (sink, Place(name="influxdb"), "measurement"),
        (a_sink(influxd.url, database=None), PLACE, "database"),
    ):
        with pytest.raises(SinkRefused, match=rf"data\.destination\.{name}"):
            wanting.check(place)
