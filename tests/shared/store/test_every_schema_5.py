"""What the release before kept by a queue's name joins its series: in both databases, after a crash, and by several at once."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from structlog.testing import capture_logs

import shared.store
from shared.domain.accuracy import AccuracyFilter
from shared.domain.jobs import DataPlaces, Place
from shared.domain.reports import Point
from shared.domain.series import UNASSIGNED, Series
from shared.store import Store, lead_on, open_store, schema
from tests.factories import MONDAY, a_forecast, a_request, a_series
from tests.servers import MongoServer
from tests.shared.store import crowd

HOUR = timedelta(hours=1)
SCHEMA_5 = Path(__file__).with_name("schema_5.sql").read_text()
SHARED = "root.shared"  # of both clusters
IDS = {"jobs": "job_id", "schedules": "schedule_id", "tokens": "token_id", "sessions": "digest"}  # kept as _id in MongoDB
Rows = dict[str, list[dict[str, Any]]]


def of_cluster(name: str) -> Series:
    places = DataPlaces(source=Place(name="files", path=f"{name}/**"), destination=Place(name="files"))
    return a_request(project="", data=places).series(SHARED)


A, B, ETL = of_cluster("cluster-a"), of_cluster("cluster-b"), a_series()
NOBODY = a_series(SHARED, project="", cluster=UNASSIGNED)


def rows() -> Rows:
    """Table → rows of schema 5: one queue of one series, one that two clusters have, and forecasts whose jobs are gone."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.row_factory = sqlite3.Row
        db.executescript(SCHEMA_5)
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found = {name: [dict(row) for row in db.execute(f"SELECT * FROM {name}")] for name in names}
    for letter in "ab":
        own = {"job_id": f"job-{letter}", "job": f"cluster-{letter}", "queue": SHARED}
        request = {"project": "", "job_name": own["job"]}
        request_of = changed(found["jobs"][0], job_id=own["job_id"], project="", request=request)
        found["jobs"].append(json_replaced(request_of, '"*.csv"', f'"cluster-{letter}/**"'))
        found["forecasts"].append(changed(found["forecasts"][0], **own))
    found["accuracy"].append(found["accuracy"][0] | {"job_id": "job-b", "job": "cluster-b", "queue": SHARED})
    found["actuals"].append(found["actuals"][0] | {"queue": SHARED, "value": 30.0})
    day_before = {"issued_at": datetime(2026, 1, 4, tzinfo=MONDAY.tzinfo), "job_id": "gone"}
    found["forecasts"].append(changed(found["forecasts"][0], **day_before))
    found["forecasts"].append(changed(found["forecasts"][0], **day_before, job="of long ago", queue=SHARED))
    return found


def changed(row: dict[str, Any], request: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """The row with other values, in its document too."""
    texts = {name: f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value for name, value in changes.items()}
    cells = {name: int(value.timestamp()) if isinstance(value, datetime) else value for name, value in changes.items()}
    document = json.loads(row["document"]) | {name: text for name, text in texts.items() if name != "project"}
    if request is not None:
        document["request"] |= request
    return row | cells | {"document": json.dumps(document)}


def json_replaced(row: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    assert old in row["document"]
    return row | {"document": row["document"].replace(old, new)}


@contextmanager
def database(url: str) -> Iterator[Any]:
    """As its own clients see it: a connection to the file, or the MongoDB database."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite://"))
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            yield db
    else:
        with MongoClient[dict[str, Any]](url) as client:
            yield client.get_default_database()


def keep(url: str, kept: Rows) -> None:
    """What the release before left behind."""
    with database(url) as db:
        if isinstance(db, sqlite3.Connection):
            db.executescript(SCHEMA_5)
            db.execute("BEGIN")
            for table, of_table in kept.items():
                db.execute(f"DELETE FROM {table}")
                marks = ", ".join(f":{name}" for name in of_table[0])
                db.executemany(f"INSERT INTO {table} VALUES ({marks})", of_table)
            db.execute("COMMIT")
            return
        db["queuecast_store"].insert_one({"_id": "store", "store_id": "s", "schema": 5})
        for collection, of_collection in kept.items():
            db[collection].insert_many([as_document(collection, row) for row in of_collection])
        db["forecasts"].create_index([(name, 1) for name in ("queue", "metric", "job", "issued_at")], unique=True)


def as_document(collection: str, row: dict[str, Any]) -> dict[str, Any]:
    key = IDS.get(collection)
    cells = {name: cell for name, cell in row.items() if name != key}
    return {"_id": row[key] if key else ObjectId(), "revision": "r"} | cells


@pytest.fixture
def old(url: str) -> str:
    """A store of the release before."""
    keep(url, rows())
    return url


def check(store: Store) -> None:
    """Everything is there, and of the right series."""
    found = {(forecast.job_id, forecast.issued_at): forecast.series for forecast in store.forecasts.find()}
    day_before = MONDAY - 24 * HOUR
    assert found.pop(("job-1", MONDAY)) == ETL
    assert found.pop(("gone", day_before)) in (ETL, NOBODY)
    assert found == {("job-a", MONDAY): A, ("job-b", MONDAY): B}
    assert store.forecasts.newest(ETL.series_id, a_forecast().job, day_before) is not None  # jobs of its name are of one series
    assert len(store.forecasts.find()) == 5
    assert [forecast.series for forecast in store.forecasts.newest_of_each(SHARED)] == [A, B]
    assert store.forecasts.queues("used_capacity", cluster=A.cluster) == [SHARED]
    month = AccuracyFilter.last_month(MONDAY + HOUR)
    assert set(store.accuracy.by_series([each.series_id for each in (A, B, ETL)], month)) == {B.series_id, ETL.series_id}
    values = store.actuals.of_series([each.series_id for each in (A, B, ETL, NOBODY)], MONDAY, MONDAY + HOUR)
    assert values == {
        ETL.series_id: [Point(timestamp=MONDAY, value=1.5)],
        NOBODY.series_id: [Point(timestamp=MONDAY, value=30.0)],  # kept, and shown nowhere
    }
    assert [schedule.request.accept_losses for schedule in store.schedules.all()] == [True]


def test_what_two_series_share_stays_unassigned_and_is_counted_in_the_log(old: str) -> None:
    with closing(open_store(old)) as store, capture_logs() as logs:
        check(store)
    assert [entry["values"] for entry in logs if "shown nowhere" in entry["event"]] == [1]


def test_who_leads_a_store_on_says_how_far_it_is(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "TELL_SECONDS", 0.0)
    told: list[str] = []
    for _ in range(2):
        lead_on(old, told.append)
    assert told[0] == f"the store is led from schema 5 to {schema.VERSION}"
    assert "the store is led on: 5 of 5 forecasts" in told
    assert "actual" in told[-1]
    with closing(open_store(old)) as store:
        check(store)


def test_a_store_that_is_new_or_away_is_neither_made_nor_waited_for(tmp_path: Path) -> None:
    for url in (f"sqlite://{tmp_path / 'none.db'}", "mongodb://127.0.0.1:1/nowhere"):
        lead_on(url, pytest.fail)
    assert list(tmp_path.iterdir()) == []


def test_who_finds_a_file_being_led_on_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.store, "TURN_SECONDS", 0.1)
    url, told = f"sqlite://{tmp_path / 'data' / 'queuecast.db'}", Event()
    keep(url, rows())
    with database(url) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        waiting = Thread(target=lead_on, args=(url, lambda text: told.set() if "waited for" in text else None))
        waiting.start()
        assert told.wait(30)
        other.execute("ROLLBACK")
    waiting.join(30)
    with closing(open_store(url)) as store:
        check(store)


def test_release_0_1_cannot_start_on_a_mongodb_that_was_led_on(mongod: MongoServer) -> None:
    url = mongod.make_database("store")  # a file has a number, and that release refuses one that it does not know
    keep(url, rows())
    for _ in range(2):
        lead_on(url, lambda _: None)
    with database(url) as db, pytest.raises(OperationFailure, match="same name"):
        db["jobs"].create_index([("created_at", -1), ("_id", -1)])  # the first thing that it does


def test_several_processes_at_once_assign_it_once(old: str) -> None:
    crowd.in_processes(crowd.open_all, [([old],)] * 3)
    with closing(open_store(old)) as store:
        check(store)


def test_what_a_crash_has_left_half_done_is_carried_on(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    for module in ("sqlite_schema", "mongo_schema"):
        with monkeypatch.context() as patch:
            patch.setattr(f"shared.store.{module}._assign_actuals", crash)
            if module.startswith(old[:5]):
                with pytest.raises(KeyboardInterrupt):
                    open_store(old).check()
    with closing(open_store(old)) as store:
        check(store)


def test_what_cannot_be_read_is_carried_along_and_keeps_nothing_else_from_its_series(url: str) -> None:
    kept = rows()
    kept["forecasts"].append(kept["forecasts"][0] | {"queue": "root.broken", "document": "no JSON"})
    kept["jobs"].append(kept["jobs"][0] | {"job_id": "job-x", "document": "no JSON"})
    kept["schedules"].append(kept["schedules"][0] | {"schedule_id": "s-2", "document": "no JSON"})
    keep(url, kept)
    with closing(open_store(url)) as store:
        check(store)
    with database(url) as db:
        if isinstance(db, sqlite3.Connection):
            [(document,)] = db.execute("SELECT document FROM forecasts WHERE queue = 'root.broken'")
        else:
            document = db["forecasts"].find_one({"queue": "root.broken"})["document"]
    assert "no JSON" in document


@pytest.mark.nightly
def test_a_hundred_thousand_forecasts_join_their_series_in_a_minute_or_two(url: str) -> None:
    kept = rows()
    first, names = kept["forecasts"][0], [f"root.q{number:03}" for number in range(300)]
    own = json.loads(first["document"]) | {name: [50.25] * 72 for name in ("prediction", "lower_bound", "upper_bound")}
    first |= {"document": json.dumps(own)}
    issues = [MONDAY - issue * HOUR for issue in range(1, 100_000 // len(names))]
    kept["forecasts"] += [changed(first, queue=queue, issued_at=issue) for queue in names for issue in issues]
    actual = kept["actuals"][0]
    times = [actual["timestamp"] - 3_600 * step for step in range(1, 3_000)]
    kept["actuals"] += [actual | {"queue": queue, "timestamp": time_} for queue in names for time_ in times]
    keep(url, kept)
    began = time.monotonic()
    with closing(open_store(url)) as store:
        store.check()
        seconds = time.monotonic() - began
        assert len(store.forecasts.newest_of_each()) >= len(names)
        assert len(store.forecasts.issues(a_series(names[0]).series_id, limit=1_000)) == len(issues)
    counts = f"{len(kept['forecasts']):,} forecasts and {len(kept['actuals']):,} actual values"
    print(f"\n{url[:7]}: {counts} in {seconds:.0f} s")
    assert seconds < 600
