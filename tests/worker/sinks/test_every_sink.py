"""The promise of worker/sinks/base.py, held by every registered sink."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from shared.config.connection import kinds
from shared.config.settings import Settings
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from shared.domain.distribution import Quantiles
from shared.domain.forecasts import Forecast
from shared.domain.jobs import Place
from shared.domain.samples import Aggregation
from shared.drivers.influx import ErrorTypes, query
from shared.errors import SinkAway, SinkRefused, UnknownConnection
from shared.store import open_store
from tests.factories import a_forecast
from tests.influx_server import Influxd
from tests.servers import MongoServer
from worker.sinks import sinks
from worker.sinks.base import Sink

Written = Callable[[], list[Forecast]]  # what the sink has been given, read back by other means than its own

TAGS = ("queue", "metric", "project", "cluster", "job")  # in the order of our store
NUMBERS = ["prediction", "lower_bound", "upper_bound", "mape", "skill", "quantiles", "peaks"]

DATABASE, PLACE = "sinks", "forecasts"


def from_store(settings: Settings) -> list[Forecast]:
    return open_store(f"sqlite://{settings.data_dir / 'forecasts.db'}").forecasts.find()


def from_influx(settings: Settings) -> list[Forecast]:
    """What the measurements say; what they have no field for is taken from the factory."""
    server = settings.connection("influxdb").server()
    errors = ErrorTypes(away=SinkAway, refused=SinkRefused)
    steps, runs = (
        {tuple(series.tags[name] for name in TAGS): series for series in found}
        for found in (
            query(server, f'SELECT * FROM "{measurement}" GROUP BY {", ".join(TAGS)}', errors, database=DATABASE)
            for measurement in (PLACE, f"{PLACE}_run")
        )
    )
    forecasts = []
    for key, series in sorted(steps.items()):
        columns = dict(zip(series.columns, zip(*series.rows, strict=True), strict=True))
        run_series = runs[key]
        run = dict(zip(run_series.columns, run_series.rows[-1], strict=True))
        bounds = {name: tuple(map(float, columns[name])) for name in ("prediction", "lower_bound", "upper_bound")}
        told = dict(zip(TAGS, key, strict=True)) | {"mape": run.get("mape"), "skill": run.get("skill")}
        told["cluster"] = told["cluster"] or "files:"
        levels = [name for name in columns if name.startswith("q0.") and None not in columns[name]]
        values = tuple(tuple(map(float, columns[name])) for name in levels)
        told["quantiles"] = Quantiles(levels=tuple(float(name[1:]) for name in levels), values=values)
        forecasts.append(a_forecast(**told, **bounds, model=columns["model"][0], job_id=run["job_id"], seconds=run["seconds"]))
    return forecasts


def from_mongo(settings: Settings) -> list[Forecast]:
    """What the documents say."""
    names = {field.name for field in fields(Forecast)}
    with MongoClient[dict[str, Any]](settings.connection("mongodb").url.get_secret_value(), tz_aware=True) as client:
        found = list(client[DATABASE][PLACE].find(sort=[("queue", 1), ("project", 1), ("cluster", 1)]))
    for each in found:
        each |= {"step_seconds": each["period_seconds"], "aggregation": Aggregation.MEAN}
        each |= {name: tuple(each[name]) for name in ("prediction", "lower_bound", "upper_bound")}
        levels, values = (tuple(level[name] for level in each["quantiles"]) for name in ("level", "values"))
        each["quantiles"] = Quantiles(levels=levels, values=tuple(map(tuple, values)))
        assert len(each["timestamp"]) == len(each["step"]) == len(each["prediction"])
    return [Forecast(**{name: value for name, value in each.items() if name in names}) for each in found]


# A further sink needs one line here.
WRITTEN: dict[str, Callable[[Settings], list[Forecast]]] = {"files": from_store, "influxdb": from_influx, "mongodb": from_mongo}


@pytest.fixture(params=list(sinks))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


ELSEWHERE = "mongodb://127.0.0.1:1/queuecast"  # a store that is no file; no sink opens it


@pytest.fixture
def settings(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings with one connection of the kind, whose database is empty."""
    connections = {}
    if name == "influxdb":
        server: Influxd = request.getfixturevalue("influxd")
        database = server.make_database(DATABASE)
        connections[name] = InfluxdbConnection(url=SecretStr(server.url), version="1", database=database)
    if name == "mongodb":
        mongo: MongoServer = request.getfixturevalue("mongod")
        connections[name] = MongodbConnection(url=SecretStr(mongo.make_database(DATABASE)))
    return Settings(data_dir=tmp_path / "data", store_url=ELSEWHERE, connections=connections)


@pytest.fixture
def place(name: str) -> Place:
    return Place(name=name, measurement=PLACE, collection=PLACE)


@pytest.fixture
def sink(name: str, settings: Settings) -> Sink:
    return sinks[name](settings.connection(name), settings)


@pytest.fixture
def written(name: str, settings: Settings) -> Written:
    return lambda: WRITTEN[name](settings)


def test_a_forecast_arrives_with_all_fields_of_every_step(sink: Sink, place: Place, written: Written) -> None:
    forecast = a_forecast(mape=None, skill=None)
    sink.write(forecast, place)
    sink.write(a_forecast(queue="root.adhoc"), place)
    assert written() == [a_forecast(queue="root.adhoc"), forecast]


def test_a_forecast_written_again_replaces_its_own_series_whole_and_no_other(sink: Sink, place: Place, written: Written) -> None:
    others = [a_forecast(queue="root.other"), a_forecast(queue="root.q", job="other"), a_forecast(queue="root.r", metric="other")]
    for forecast in (*others, a_forecast(), a_forecast()):
        sink.write(forecast, place)
    assert written() == [a_forecast(), *others]
    later = a_forecast(mape=None, prediction=(1.0,), lower_bound=(0.0,), upper_bound=(2.0,))
    sink.write(later, place)
    assert written() == [later, *others]


def with_levels(*levels: float, **changes: Any) -> Forecast:
    """A forecast whose quantiles are 100 times their level."""
    values = tuple((100.0 * level,) * 3 for level in levels)
    return a_forecast(quantiles=Quantiles(levels=levels, values=values), **changes)


def test_the_quantiles_of_each_step_arrive_and_levels_that_a_newer_one_lacks_leave(
    sink: Sink, place: Place, written: Written
) -> None:
    other = with_levels(0.1, 0.2, queue="root.other")
    for forecast in (other, a_forecast(), with_levels(0.1, 0.25, 0.5, 0.975), with_levels(0.1, 0.25, 0.5, 0.975)):
        sink.write(forecast, place)
    assert written() == [with_levels(0.1, 0.25, 0.5, 0.975), other]
    for forecast in (with_levels(0.1, 0.5), a_forecast()):  # a job of an earlier release had none
        sink.write(forecast, place)
        assert written() == [forecast, other]


def test_each_project_and_cluster_has_its_own_forecasts(sink: Sink, place: Place, written: Written) -> None:
    both = [a_forecast(project=project, cluster=cluster) for project in ("etl", "ml") for cluster in ("east", "west")]
    for forecast in (*both, *both):
        sink.write(forecast, place)
    assert written() == both
    shorter = a_forecast(project="ml", cluster="east", prediction=(1.0,), lower_bound=(0.0,), upper_bound=(2.0,))
    sink.write(shorter, place)
    assert written() == [*both[:2], shorter, both[3]]


def test_two_workers_that_write_the_same_forecast_leave_one(sink: Sink, place: Place, written: Written) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: sink.write(a_forecast(), place), range(40)))
    assert written() == [a_forecast()]


AWKWARD = [
    *("root.a b", "root,x=1", "root=y", 'root"z"', "root.ä.日本", " a ", "0", "-", "#a"),
    *("a\\b", "a\\,job=x", "a\\ b", "a\u00a0b\u2028", "$where", '{"$ne": ""}', "a.b.c", "'; db.dropDatabase()"),
]


@pytest.mark.parametrize("queue", AWKWARD)
def test_awkward_names_arrive_as_they_are(sink: Sink, place: Place, written: Written, queue: str) -> None:
    sink.write(a_forecast(queue=queue, job=queue), place)
    assert written() == [a_forecast(queue=queue, job=queue)]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("field", NUMBERS)
def test_a_number_that_is_not_finite_is_refused(sink: Sink, place: Place, written: Written, field: str, number: float) -> None:
    steps = (1.0, 2.0, number)
    value: Any = number if field in {"mape", "skill"} else steps
    if field in {"quantiles", "peaks"}:
        value = Quantiles(levels=(0.5,), values=(steps,))
    with pytest.raises(SinkRefused, match=r"root\.etl.*a number that is not finite"):
        sink.write(a_forecast(**{field: value}), place)
    assert written() == []


@pytest.mark.parametrize("field", ["queue", "metric", "job"])
@pytest.mark.parametrize("empty", ["", "  "])
def test_a_series_without_a_name_is_refused(sink: Sink, place: Place, written: Written, field: str, empty: str) -> None:
    with pytest.raises(SinkRefused, match=f"the forecast's {field} is empty"):
        sink.write(a_forecast(**{field: empty}), place)
    assert written() == []


def test_every_kind_of_connection_that_is_a_destination_has_its_sink() -> None:
    assert {kind for kind in kinds if "destination" in kinds[kind].roles} == set(sinks) == set(WRITTEN)


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownConnection, match=r"found 'kafka', known are .*files"):
        _ = sinks["kafka"]


def test_a_place_that_cannot_be_written_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = Settings(data_dir=tmp_path / "file" / "data", files_dir=tmp_path, store_url=ELSEWHERE)
    sink = sinks["files"](settings.connection("files"), settings)
    with pytest.raises(SinkAway, match="the file of forecasts in the data folder cannot be written"):
        sink.write(a_forecast(), Place(name="files"))


def test_with_an_sqlite_store_the_sink_of_files_writes_nothing_twice(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    sink = sinks["files"](settings.connection("files"), settings)
    sink.write(a_forecast(), Place(name="files"))
    assert not settings.data_dir.exists()  # the store, which is written next, is the sink
    with pytest.raises(SinkRefused, match="not finite"):
        sink.write(a_forecast(mape=float("inf")), Place(name="files"))


def test_a_look_at_a_place_that_takes_forecasts_writes_nothing(
    sink: Sink, place: Place, settings: Settings, written: Written
) -> None:
    assert not settings.data_dir.exists()
    sink.check(place)
    assert written() == []
