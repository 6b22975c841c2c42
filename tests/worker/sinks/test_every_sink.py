"""The promise of worker/sinks/base.py, held by every registered sink."""

from __future__ import annotations

from collections.abc import Callable
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
from shared.domain.forecasts import Forecast
from shared.domain.jobs import Place
from shared.drivers.influx import ErrorTypes, query
from shared.errors import SinkAway, SinkRefused, UnknownConnection
from shared.store import open_store
from tests.factories import a_forecast
from tests.influx_server import Influxd
from tests.servers import MongoServer
from worker.sinks import sinks
from worker.sinks.base import Sink

NUMBERS = ["prediction", "lower_bound", "upper_bound", "mape", "skill"]

DATABASE, PLACE = "sinks", "forecasts"


def from_store(settings: Settings) -> list[Forecast]:
    return open_store(f"sqlite://{settings.data_dir / 'forecasts.db'}").forecasts.find()


def from_influx(settings: Settings) -> list[Forecast]:
    """What the measurements say; what they have no field for is taken from the factory."""
    server = settings.connection("influxdb").server()
    errors = ErrorTypes(away=SinkAway, refused=SinkRefused)
    steps, runs = (
        {tuple(series.tags[name] for name in ("job", "metric", "queue")): series for series in found}
        for found in (
            query(server, f'SELECT * FROM "{measurement}" GROUP BY "job", "metric", "queue"', errors, database=DATABASE)
            for measurement in (PLACE, f"{PLACE}_run")
        )
    )
    forecasts = []
    for (job, metric, queue), series in sorted(steps.items(), key=lambda item: item[0][2]):
        columns = dict(zip(series.columns, zip(*series.rows, strict=True), strict=True))
        run_series = runs[job, metric, queue]
        run = dict(zip(run_series.columns, run_series.rows[-1], strict=True))
        bounds = {name: tuple(map(float, columns[name])) for name in ("prediction", "lower_bound", "upper_bound")}
        told = {"queue": queue, "metric": metric, "job": job, "mape": run.get("mape"), "skill": run.get("skill")}
        forecasts.append(a_forecast(**told, **bounds, model=columns["model"][0], job_id=run["job_id"], seconds=run["seconds"]))
    return forecasts


def from_mongo(settings: Settings) -> list[Forecast]:
    """What the documents say."""
    names = {field.name for field in fields(Forecast)}
    with MongoClient[dict[str, Any]](settings.connection("mongodb").url.get_secret_value(), tz_aware=True) as client:
        found = list(client[DATABASE][PLACE].find(sort=[("queue", 1)]))
    for each in found:
        each |= {"step_seconds": each["period_seconds"]}
        each |= {name: tuple(each[name]) for name in ("prediction", "lower_bound", "upper_bound")}
        assert len(each["timestamp"]) == len(each["step"]) == len(each["prediction"])
    return [Forecast(**{name: value for name, value in each.items() if name in names}) for each in found]


# What a sink has been given, read back by other means than its own. A further sink needs one line here.
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
        with mongo.client() as client:
            client.drop_database(DATABASE)
        connections[name] = MongodbConnection(url=SecretStr(mongo.url_of(DATABASE)))
    return Settings(data_dir=tmp_path / "data", store_url=ELSEWHERE, connections=connections)


@pytest.fixture
def place(name: str) -> Place:
    return Place(name=name, measurement=PLACE, collection=PLACE)


@pytest.fixture
def sink(name: str, settings: Settings) -> Sink:
    return sinks[name](settings.connection(name), settings)


@pytest.fixture
def written(name: str, settings: Settings) -> Callable[[], list[Forecast]]:
    return lambda: WRITTEN[name](settings)


def test_a_forecast_arrives_with_all_fields_of_every_step(
    sink: Sink, place: Place, written: Callable[[], list[Forecast]]
) -> None:
    forecast = a_forecast(mape=None, skill=None)
    sink.write(forecast, place)
    sink.write(a_forecast(queue="root.adhoc"), place)
    assert written() == [a_forecast(queue="root.adhoc"), forecast]


def test_the_same_forecast_again_changes_nothing_and_a_shorter_one_leaves_no_tail(
    sink: Sink, place: Place, written: Callable[[], list[Forecast]]
) -> None:
    for forecast in (a_forecast(), a_forecast()):
        sink.write(forecast, place)
    assert written() == [a_forecast()]
    shorter = a_forecast(prediction=(1.0,), lower_bound=(0.0,), upper_bound=(2.0,))
    sink.write(shorter, place)
    assert written() == [shorter]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("field", NUMBERS)
def test_a_number_that_is_not_finite_is_refused(
    sink: Sink, place: Place, written: Callable[[], list[Forecast]], field: str, number: float
) -> None:
    value: Any = number if field in {"mape", "skill"} else (1.0, 2.0, number)
    with pytest.raises(SinkRefused, match=r"root\.etl.*a number that is not finite"):
        sink.write(a_forecast(**{field: value}), place)
    assert written() == []


@pytest.mark.parametrize("field", ["queue", "metric", "job"])
@pytest.mark.parametrize("empty", ["", "  "])
def test_a_series_without_a_name_is_refused(
    sink: Sink, place: Place, written: Callable[[], list[Forecast]], field: str, empty: str
) -> None:
    with pytest.raises(SinkRefused, match=f"the forecast's {field} is empty"):
        sink.write(a_forecast(**{field: empty}), place)
    assert written() == []


def test_opening_a_sink_touches_nothing(sink: Sink, settings: Settings) -> None:
    assert not settings.data_dir.exists()


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


def test_a_sink_that_would_take_a_forecast_says_nothing(sink: Sink, place: Place) -> None:
    sink.check(place)
