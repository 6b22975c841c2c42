"""MongoDB as a sink: its document, its indexes, and what it refuses before a model is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo.database import Database

from shared.config.settings import Settings
from shared.connections.mongodb import MongodbConnection
from shared.domain.jobs import Place
from shared.domain.samples import Aggregation
from shared.errors import CredentialsRefused, InvalidRequest, InvalidSettings, SinkAway, SinkRefused
from tests.factories import MONDAY, a_forecast, with_distribution
from tests.polling import without_waiting
from tests.servers import PYMONGO_SECONDS, MongoServer, free_port
from worker.sinks import sinks
from worker.sinks.base import Sink
from worker.sinks.mongo_sink import EARLIER, NEW

DATABASE, PLACE = "forecasts", Place(name="mongodb", collection="queue_forecasts")


def a_sink(url: str, **changes: Any) -> Sink:
    return sinks["mongodb"](MongodbConnection(url=SecretStr(url), **changes), Settings())


@pytest.fixture
def database(mongod: MongoServer) -> Iterator[Database[Any]]:
    """What the sink writes to, as somebody else sees it: empty."""
    mongod.make_database(DATABASE)
    with mongod.client() as client:
        yield client[DATABASE]


@pytest.fixture
def sink(mongod: MongoServer, database: Database[Any]) -> Sink:
    return a_sink(mongod.url_of(DATABASE))


def test_a_run_is_one_document_with_arrays_that_expires_after_400_days(database: Database[Any], sink: Sink) -> None:
    sink.write(a_forecast(), PLACE)
    document = database.queue_forecasts.find_one({}, {"_id": 0})
    created_at = MONDAY + timedelta(minutes=2)
    assert document == {
        "project": "capacity forecasting",
        "cluster": "files:",
        "where": "",
        "queue": "root.etl",
        "metric": "used_capacity",
        "job": "Resource Forecasting",
        "issued_at": MONDAY,
        "created_at": created_at,
        "period_seconds": 3_600,
        "aggregation": "mean",
        "timestamp": [MONDAY, MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=2)],
        "step": [1, 2, 3],
        "prediction": [50.0, 60.0, 55.0],
        "lower_bound": [40.0, 45.0, 41.0],
        "upper_bound": [60.0, 75.0, 70.0],
        "quantiles": [],
        "peak_quantiles": [],
        "interval": 0.9,
        "unit": "percent",
        "guaranteed": 100.0,
        "maximum": None,
        "model": "seasonal_naive",
        "hyperparameters": {"days": 1},
        "mape": 7.5,
        "skill": 0.2,
        "seconds": 1.5,
        "job_id": "job-1",
        "expires_at": created_at + timedelta(days=400),
    }


def test_quantiles_are_arrays_by_level_of_steps_and_of_days(database: Database[Any], sink: Sink) -> None:
    forecast = with_distribution(a_forecast())
    sink.write(forecast, PLACE)
    document = database.queue_forecasts.find_one({}) or {}
    for name, quantiles in (("quantiles", forecast.quantiles), ("peak_quantiles", forecast.peaks)):
        assert [each["level"] for each in document[name]] == [*quantiles.levels]
        assert [tuple(each["values"]) for each in document[name]] == [*quantiles.values]


def test_the_key_is_unique_and_the_server_drops_what_is_expired(database: Database[Any], sink: Sink) -> None:
    for _ in range(2):
        sink.write(a_forecast(), PLACE)
    indexes = database.queue_forecasts.index_information()
    names = (
        "project",
        "cluster",
        "where",
        "queue",
        "metric",
        "job",
        "issued_at",
        "period_seconds",
        "aggregation",
        "day_timezone",
    )
    key = [(name, 1) for name in names]
    assert [index["key"] for index in indexes.values() if index.get("unique")] == [key]
    assert [index["key"] for index in indexes.values() if index.get("expireAfterSeconds") == 0] == [[("expires_at", 1)]]
    assert len(indexes) == 3


def of_the_release_before(database: Database[Any], sink: Sink, **changes: Any) -> None:
    """A document that says less, and the unique index that knew less."""
    sink.write(a_forecast(**changes), PLACE)
    documents = database.queue_forecasts
    documents.update_many({}, {"$unset": dict.fromkeys(NEW, "")})
    for name, index in documents.index_information().items():
        if index.get("unique"):
            documents.drop_index(name)
    documents.create_index([("queue", 1), ("metric", 1), ("job", 1), ("issued_at", -1)], unique=True)


def test_documents_of_the_release_before_are_replaced_and_its_index_is_dropped(database: Database[Any], sink: Sink) -> None:
    of_the_release_before(database, sink, model="var", job_id="before")
    for forecast in (a_forecast(), a_forecast(project="other"), a_forecast(cluster="east"), a_forecast()):
        sink.write(forecast, PLACE)
    found = database.queue_forecasts.find({}, dict.fromkeys(("project", "cluster", "model"), 1) | {"_id": 0}, sort=[("_id", 1)])
    assert [tuple(each.values()) for each in found] == [
        ("capacity forecasting", "files:", "seasonal_naive"),
        ("other", "files:", "seasonal_naive"),
        ("capacity forecasting", "east", "seasonal_naive"),
    ]
    assert EARLIER[0] not in database.queue_forecasts.index_information()


def test_an_index_of_the_same_name_that_is_not_ours_stays(database: Database[Any], sink: Sink) -> None:
    database.queue_forecasts.create_index([("queue", 1), ("metric", 1), ("job", 1), ("issued_at", -1)])
    sink.write(a_forecast(), PLACE)
    assert EARLIER[0] in database.queue_forecasts.index_information()


def test_aggregations_and_partitions_of_one_hour_are_documents_of_their_own(database: Database[Any], sink: Sink) -> None:
    gpu = a_forecast(cluster="prod", where="partition=gpu")
    for forecast in (a_forecast(), a_forecast(aggregation=Aggregation.MAX), gpu, replace(gpu, where=""), gpu):
        sink.write(forecast, PLACE)
    found = [(each["aggregation"], each["cluster"], each["where"]) for each in database.queue_forecasts.find(sort=[("_id", 1)])]
    others = [("mean", "prod", "partition=gpu"), ("mean", "prod", "")]
    assert found == [("mean", "files:", ""), ("max", "files:", ""), *others]


def test_of_two_jobs_of_one_name_in_one_hour_the_one_created_last_stays(database: Database[Any], sink: Sink) -> None:
    second = a_forecast(job_id="second", created_at=MONDAY + timedelta(minutes=9))
    for forecast in (a_forecast(job_id="first"), second, a_forecast(job_id="first"), second):
        sink.write(forecast, PLACE)
    sink.write(a_forecast(issued_at=MONDAY - timedelta(days=1)), PLACE)  # a run in the past has a document of its own
    assert [each["job_id"] for each in database.queue_forecasts.find(sort=[("_id", 1)])] == ["second", "job-1"]


@pytest.mark.parametrize(
    ("keep", "expires_in", "kept"),
    [
        ("90d", None, timedelta(days=90)),
        ("90d", "1mo", timedelta(days=31)),
        ("forever", "2h", timedelta(hours=2)),
        ("forever", None, None),
    ],
)
def test_how_long_a_forecast_stays_is_said_by_the_connection_and_by_the_request(
    mongod: MongoServer, database: Database[Any], keep: str, expires_in: str | None, kept: timedelta | None
) -> None:
    others = {"expires_in": expires_in} if expires_in else {}
    place = Place(name="mongodb", collection="queue_forecasts", others=others)
    a_sink(mongod.url_of(DATABASE), keep=keep).write(a_forecast(), place)
    document = database.queue_forecasts.find_one()
    assert document is not None
    assert document.get("expires_at") == (None if kept is None else MONDAY + timedelta(minutes=2) + kept)


def test_a_user_who_may_not_drop_the_earlier_index_is_told_when_it_is_in_the_way(mongod_with_users: MongoServer) -> None:
    mongod_with_users.make_database(DATABASE)
    with mongod_with_users.client() as client:
        of_the_release_before(client[DATABASE], a_sink(mongod_with_users.url_of(DATABASE)))
        resource = {"db": DATABASE, "collection": "queue_forecasts"}
        rights = [{"resource": resource, "actions": ["find", "insert", "update", "createIndex"]}]
        client.admin.command("createRole", "few", privileges=rights, roles=[])
        client.admin.command("createUser", "few", pwd="few", roles=["few"])
    sink = a_sink(mongod_with_users.url_of(DATABASE, "few:few"))
    sink.write(a_forecast(), PLACE)  # replaces the one that is there
    with pytest.raises(SinkRefused, match=rf"drop this index of an earlier release: dropIndex\('{EARLIER[0]}'\)"):
        sink.write(a_forecast(project="other"), PLACE)


def test_a_unique_index_of_somebody_else_is_told_and_no_forecast_is_lost_silently(database: Database[Any], sink: Sink) -> None:
    sink.write(a_forecast(), PLACE)
    database.queue_forecasts.create_index("queue", unique=True)
    later = a_forecast(issued_at=MONDAY + timedelta(hours=1))
    with pytest.raises(SinkRefused, match="duplicate key"):
        sink.write(later, PLACE)
    sink.write(a_forecast(), PLACE)  # the same again is no error


def test_checking_writes_nothing(database: Database[Any], sink: Sink) -> None:
    sink.check(PLACE)
    assert DATABASE not in database.client.list_database_names()


@pytest.mark.parametrize(
    ("kind", "options"),
    [("timeseries", {"timeseries": {"timeField": "timestamp"}}), ("view", {"viewOn": "other", "pipeline": []})],
)
def test_what_takes_no_unique_index_is_refused(database: Database[Any], sink: Sink, kind: str, options: dict[str, Any]) -> None:
    database.create_collection("queue_forecasts", **options)
    with pytest.raises(SinkRefused, match=f"'queue_forecasts' is a {kind}"):
        sink.check(PLACE)
    with pytest.raises(SinkRefused, match="collection queue_forecasts"):
        sink.write(a_forecast(), PLACE)


def test_a_collection_of_somebody_else_is_refused_by_its_own_rules(database: Database[Any], sink: Sink) -> None:
    database.create_collection("queue_forecasts", validator={"owner": {"$exists": True}})
    database.others.insert_many([{"x": 1}, {"x": 2}])
    database.named.create_index([("expires_at", 1)])
    for name, reason in (("queue_forecasts", "failed validation"), ("others", "duplicate key"), ("named", "already exists")):
        with pytest.raises(SinkRefused, match=reason):
            sink.write(a_forecast(), Place(name="mongodb", collection=name))


@pytest.mark.parametrize("name", ["system.users", "a b", "$cmd", "x" * 300, None])
def test_a_collection_that_is_no_plain_name_is_refused(sink: Sink, name: str | None) -> None:
    for act in (sink.check, lambda place: sink.write(a_forecast(), place)):
        with pytest.raises(InvalidRequest, match="accepted are letters"):
            act(Place(name="mongodb", collection=name))


def test_the_servers_own_databases_are_refused(mongod: MongoServer, sink: Sink) -> None:
    with pytest.raises(InvalidSettings, match="may not name a database"):
        sink.check(Place(name="mongodb", collection="c", database="admin"))
    with pytest.raises(InvalidSettings, match="names no database"):
        a_sink(mongod.url).check(PLACE)


def test_a_user_who_may_write_is_taken_and_one_who_may_only_read_is_not(mongod_with_users: MongoServer) -> None:
    mongod_with_users.make_database(DATABASE)
    writer, reader = (a_sink(mongod_with_users.url_of(DATABASE, user)) for user in ("writer:writer", "reader:reader"))
    writer.check(PLACE)
    writer.write(a_forecast(), PLACE)
    with pytest.raises(CredentialsRefused, match=r"not allowed to insert, update, createIndex in forecasts\.queue_forecasts"):
        reader.check(PLACE)
    with pytest.raises(CredentialsRefused, match="not authorized"):
        reader.write(a_forecast(), PLACE)


@pytest.mark.parametrize(("user", "reason"), [("writer:wrong", "Authentication failed"), ("", "requires authentication")])
def test_a_wrong_password_and_none_are_told_at_once(mongod_with_users: MongoServer, user: str, reason: str) -> None:
    url = mongod_with_users.url_of(DATABASE, user) if user else f"mongodb://127.0.0.1:{mongod_with_users.port}/{DATABASE}"
    for act in (lambda: a_sink(url).check(PLACE), lambda: a_sink(url).write(a_forecast(), PLACE)):
        with without_waiting(PYMONGO_SECONDS), pytest.raises(CredentialsRefused, match=reason):
            act()


def test_a_server_that_is_down_is_away_within_its_limit() -> None:
    with without_waiting(PYMONGO_SECONDS), pytest.raises(SinkAway, match="Connection refused"):
        a_sink(f"mongodb://127.0.0.1:{free_port()}/{DATABASE}").check(PLACE)


def test_days_of_two_time_zones_that_begin_at_one_moment_lie_side_by_side(database: Database[Any], sink: Sink) -> None:
    zones = ("UTC", "Europe/London", "Africa/Abidjan")  # in January all three are one
    for zone in zones:
        sink.write(a_forecast(step_seconds=86_400, timezone=zone), PLACE)
    found = [document.get("day_timezone") for document in database.queue_forecasts.find(sort=[("day_timezone", 1)])]
    assert found == [None, "Africa/Abidjan", "Europe/London"]
