"""InfluxDB as a sink: the three measurements to the letter, both ways of writing, and what a server may refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from shared.config.settings import Settings
from shared.connections.influxdb import InfluxdbConnection
from shared.domain.distribution import Quantiles
from shared.domain.forecasts import Forecast
from shared.domain.jobs import Place
from shared.errors import CredentialsRefused, InvalidRequest, InvalidSettings, SinkAway, SinkRefused
from tests.factories import MONDAY, a_forecast
from tests.influx_server import Influxd
from tests.worker.sinks.v2_gateway import v2_gateway
from worker.sinks import sinks
from worker.sinks._influx_points import lines_of
from worker.sinks.base import Sink, Standing

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
    tags = {"job": "Resource Forecasting", "metric": "used_capacity", "project": "capacity forecasting", "queue": "root.etl"}
    numbers = {"prediction": 60.0, "lower_bound": 45.0, "upper_bound": 75.0, "issued_at": START, "model": "seasonal_naive"}
    second = {"time": START + 3_600, **tags, **numbers}
    assert points(influxd, "usage")[1] == second | {"step": 2}
    assert points(influxd, "usage_issued")[1] == second | {"step": "002"}
    run = {"model": "seasonal_naive", "mape": 7.5, "skill": 0.2, "horizon": 3, "seconds": 1.5, "job_id": "job-1"}
    assert points(influxd, "usage_run") == [{"time": START, **tags, **run}]


def levels_of(influxd: Influxd, measurement: str) -> dict[tuple[int, int], set[str]]:
    """Of each step, by issue time and time, the levels that it has."""
    return {
        (each["issued_at"], each["time"]): {name for name, value in each.items() if name.startswith("q0") and value is not None}
        for each in points(influxd, measurement)
    }


def test_each_level_is_a_field_and_only_the_same_issue_loses_what_is_gone(sink: Sink, influxd: Influxd) -> None:
    def of_levels(*levels: float, **changes: Any) -> Forecast:
        forecast = of_steps(3, **changes)
        return replace(forecast, quantiles=Quantiles(levels=levels, values=(forecast.prediction,) * len(levels)))

    before = of_levels(0.05, 0.123456, issued_at=MONDAY - HOUR)
    for forecast in (before, of_levels(0.05, 0.123456), of_levels(0.05, 0.5), of_levels(0.05, 0.5)):
        sink.write(forecast, PLACE)
    sink.write(before, PLACE)  # once more, and now it is of the past
    every = {"q0.05", "q0.123456"}
    newest = {(START, START + step * 3_600): {"q0.05", "q0.5"} for step in range(3)}
    earlier = {(START - 3_600, START + step * 3_600): every for step in (-1, 0, 1)}
    assert levels_of(influxd, "usage_issued") == newest | earlier
    assert levels_of(influxd, "usage") == newest | {(START - 3_600, START - 3_600): every}


def test_the_quantiles_of_the_days_have_a_measurement_of_their_own(sink: Sink, influxd: Influxd) -> None:
    def of_days(*levels: float, **changes: Any) -> Forecast:
        forecast = of_steps(30, **changes)
        values = tuple((100 * level, 90 * level) for level in levels)
        return replace(forecast, peaks=Quantiles(levels=levels, values=values))

    live, past = of_days(0.5, 0.9), of_days(0.5, issued_at=MONDAY - DAY)
    for forecast in (of_days(0.5, 0.975), live, past, live):
        sink.write(forecast, PLACE)
    found = [
        (each["day"], each["time"], each["issued_at"], each["q0.5"], each.get("q0.9")) for each in points(influxd, "usage_peaks")
    ]
    day = 86_400
    assert sorted(found, key=lambda each: each[2]) == [
        ("01", START - day, START - day, 50.0, None),
        ("02", START, START - day, 45.0, None),
        ("01", START, START, 50.0, 90.0),
        ("02", START + day, START, 45.0, 81.0),
    ]
    assert levels_of(influxd, "usage_peaks")[START, START + day] == {"q0.5", "q0.9"}


def test_both_ways_of_writing_give_equal_points(influxd: Influxd, database: str) -> None:
    with v2_gateway(influxd.url) as url:
        ways = (a_sink(influxd.url), a_sink(url, version="2"))
        for sink, measurement in zip(ways, ("one", "two"), strict=True):
            sink.write(a_forecast(queue='root.a b,c="d"'), Place(name="influxdb", measurement=measurement))
    for suffix in ("", "_issued", "_run"):
        assert points(influxd, f"one{suffix}") == points(influxd, f"two{suffix}") != []


NAMED = ("project", "cluster", "job", "queue")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def of_steps(count: int, issued_at: datetime = MONDAY, **changes: Any) -> Forecast:
    """Each run predicts a value of its own, so that its steps are told from those of others."""
    level = float((issued_at - MONDAY) / HOUR) + count / 1_000
    numbers = dict.fromkeys(("prediction", "lower_bound", "upper_bound"), (level,) * count)
    return a_forecast(issued_at=issued_at, created_at=issued_at + timedelta(minutes=2), **numbers, **changes)


def steps_of(*forecasts: Forecast) -> set[tuple[Any, ...]]:
    return {
        (each.project or None, each.series.named_cluster or None, each.job, each.queue, int(moment.timestamp()), value)
        for each in forecasts
        for moment, value in zip(each.timestamps, each.prediction, strict=True)
    }


def live(influxd: Influxd, measurement: str = "usage") -> set[tuple[Any, ...]]:
    """What a dashboard reads: whose step, when, and the value that it has."""
    every = points(influxd, measurement)
    return {(*(point.get(name) for name in NAMED), point["time"], point["prediction"]) for point in every}


@pytest.fixture(params=["1", "2", "3"])
def any_sink(request: pytest.FixtureRequest, influxd: Influxd, database: str) -> Iterator[Sink]:
    """The third takes no DELETE."""
    if request.param == "1":
        yield a_sink(influxd.url)
    else:
        with v2_gateway(influxd.url, deletes=request.param == "2") as url:
            yield a_sink(url, version=request.param)


def test_a_run_in_the_past_touches_nothing_that_was_issued_later(any_sink: Sink, influxd: Influxd) -> None:
    newest = of_steps(72)
    runs = ((24, 48 * HOUR), (72, 24 * HOUR), (200, HOUR), (1, 720 * HOUR))
    past = [of_steps(count, MONDAY - earlier) for count, earlier in runs]
    any_sink.write(newest, PLACE)
    for forecast in (*past, past[1], newest, *past):  # retries, and the live one again
        any_sink.write(forecast, PLACE)
        assert live(influxd) == steps_of(newest)
    assert live(influxd, "usage_issued") == steps_of(newest, *past)
    assert [point["time"] for point in points(influxd, "usage_run")] == [START]


def test_a_history_that_is_filled_up_day_by_day_is_as_if_it_had_been_live(any_sink: Sink, influxd: Influxd) -> None:
    days = [of_steps(24, MONDAY + day * DAY) for day in range(3)]
    for forecast in days:
        any_sink.write(forecast, PLACE)
    assert live(influxd) == steps_of(*days)


def test_what_a_longer_forecast_left_behind_is_gone_or_told_by_its_issue_time(
    any_sink: Sink, influxd: Influxd, request: pytest.FixtureRequest
) -> None:
    longer, shorter = of_steps(72), of_steps(24, MONDAY + HOUR)
    any_sink.write(longer, PLACE)
    any_sink.write(shorter, PLACE)
    newer = [point for point in points(influxd, "usage") if point["issued_at"] == START + 3_600]
    assert len(newer) == 24
    first = {step for step in steps_of(longer) if step[4] == START}
    stale = {step for step in steps_of(longer) if step[4] > START + 24 * 3_600}
    keeps = request.node.callspec.params["any_sink"] == "3"
    assert live(influxd) == steps_of(shorter) | first | (stale if keeps else set())


def test_other_projects_clusters_jobs_and_queues_keep_their_steps(any_sink: Sink, influxd: Influxd) -> None:
    ours = {"project": "etl", "cluster": "east"}
    others = [{name: "other"} for name in NAMED] + [{"cluster": "files:"}, {"project": ""}]
    kept = [of_steps(72, MONDAY + DAY, **(ours | other)) for other in others]
    for forecast in (*kept, of_steps(72, **ours), of_steps(24, MONDAY + HOUR, **ours)):
        any_sink.write(forecast, PLACE)
    assert live(influxd) >= steps_of(*kept, of_steps(24, MONDAY + HOUR, **ours))
    later = [of_steps(2, MONDAY + 2 * DAY, **(ours | other)) for other in others]
    for forecast in later:
        any_sink.write(forecast, PLACE)
    assert live(influxd) >= steps_of(of_steps(24, MONDAY + HOUR, **ours), *later)


def test_of_two_jobs_of_one_name_in_one_hour_the_later_one_counts(any_sink: Sink, influxd: Influxd) -> None:
    first = of_steps(3, job_id="first")
    second = replace(first, job_id="second", created_at=MONDAY + timedelta(minutes=9), prediction=(7.0, 8.0, 9.0))
    for forecast, standing in ((first, Standing.NEWEST), (second, Standing.NEWEST), (first, Standing.REPLACED)):
        any_sink.write(forecast, PLACE, standing)
    for measurement in MEASUREMENTS[:2]:
        assert live(influxd, measurement) == steps_of(second)
    assert points(influxd, "usage_run")[0]["job_id"] == "second"


def test_a_write_that_was_cut_off_after_the_deletion_is_mended_by_the_next(influxd: Influxd, database: str) -> None:
    sink, longer, shorter = a_sink(influxd.url), of_steps(72), of_steps(24, MONDAY + HOUR)
    sink.write(longer, PLACE)
    influxd.query(f'ALTER RETENTION POLICY "autogen" ON "{DATABASE}" DURATION 1h SHARD DURATION 1h DEFAULT')
    with pytest.raises(SinkRefused, match="partial write"):
        sink.write(shorter, PLACE)
    assert len(live(influxd)) == 25  # of the longer one, up to where the shorter one ends
    influxd.query(f'ALTER RETENTION POLICY "autogen" ON "{DATABASE}" DURATION INF SHARD DURATION 1w DEFAULT')
    sink.write(shorter, PLACE)
    assert live(influxd) == steps_of(shorter) | {step for step in steps_of(longer) if step[4] == START}


def test_a_retention_policy_is_written_to_where_it_is_named(influxd: Influxd, database: str) -> None:
    influxd.query(f'CREATE RETENTION POLICY "2y-kept" ON "{DATABASE}" DURATION 104w REPLICATION 1')
    place = Place(name="influxdb", measurement="usage", others={"retention_policy": "2y-kept"})
    sink = a_sink(influxd.url)
    sink.check(place)
    for forecast in (of_steps(72), of_steps(24, MONDAY + HOUR), of_steps(72, MONDAY - DAY)):
        sink.write(forecast, place)
    found = influxd.query('SELECT count("prediction") FROM "2y-kept"."usage"', DATABASE)
    assert found[0].rows[0][1] == 25
    assert points(influxd, "usage") == []
    for act in (sink.check, lambda nowhere: sink.write(of_steps(1), nowhere)):
        with pytest.raises(SinkRefused, match="retention policy not found"):
            act(Place(name="influxdb", measurement="usage", others={"retention_policy": "nope"}))
    with pytest.raises(InvalidSettings, match="no name"):
        sink.write(of_steps(1), Place(name="influxdb", measurement="usage", others={"retention_policy": 'x"."y'}))


def test_only_version_1_has_retention_policies() -> None:
    place = Place(name="influxdb", measurement="usage", others={"retention_policy": "kept"})
    for version, accepted in (("1", True), ("2", False), ("3", False)):
        connection = InfluxdbConnection(url=SecretStr("http://x:1"), version=version, database=DATABASE)  # type: ignore[arg-type]
        with nullcontext() if accepted else pytest.raises(InvalidRequest, match=f"version {version} has none"):
            connection.check_place(place, "destination")


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


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_user_who_may_only_write_is_enough_and_our_store_says_what_is_newest(influxd_with_users: Influxd, version: str) -> None:
    influxd_with_users.make_database(DATABASE)
    influxd_with_users.query("CREATE USER sink WITH PASSWORD 'sink'")
    influxd_with_users.query(f'GRANT WRITE ON "{DATABASE}" TO sink')
    newest, past = of_steps(5, MONDAY + HOUR), of_steps(72, MONDAY - DAY)
    with v2_gateway(influxd_with_users.url) as url:
        sink = a_sink(influxd_with_users.url if version == "1" else url, version=version, token="sink:sink")
        sink.check(PLACE)
        for forecast, standing in ((of_steps(72), Standing.NEWEST), (newest, Standing.NEWEST), (past, Standing.OLDER)):
            sink.write(forecast, PLACE, standing)
    first = {step for step in steps_of(of_steps(72)) if step[4] == START}
    assert live(influxd_with_users) == steps_of(newest) | first
    influxd_with_users.query("DROP USER sink")


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
