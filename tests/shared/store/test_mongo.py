"""What is special about the store in MongoDB: its limits, its users, its processes, and the names of its fields."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from shared.domain.allowances import Allowance
from shared.domain.forecasts import Candidate, Measures, Score, WindowForecast
from shared.domain.jobs import QueueState
from shared.domain.reports import QueueReport
from shared.errors import AllowanceUsedUp, InvalidSettings, RecordRefused, StoreAway, StoreRefuses
from shared.store import Store, open_store
from shared.store.schema import VERSION
from tests.certificates import Certificates
from tests.factories import MONDAY, a_job, a_report, a_schedule
from tests.polling import eventually
from tests.servers import MongoServer
from tests.shared.store.release_0_1 import RELEASE_0_1, check_what_release_0_1_kept

MEASURES = Measures(mape=7.5, wape=7.0, smape=None, mase=0.8, rmse=3.25, skill=0.2, steps=3, skipped_steps=1)
RECORDS = RELEASE_0_1["mongodb"]
DEAD = "mongodb://127.0.0.1:1/queuecast"


@pytest.fixture
def url(mongod: MongoServer) -> str:
    return mongod.make_database("special")


def is_there(store: Store) -> bool:
    try:
        store.check()
    except StoreAway:
        return False
    return True


def test_who_dies_on_the_way_in_counts_for_a_minute_and_no_longer(url: str, mongod: MongoServer) -> None:
    store, one = open_store(url), Allowance(open_jobs=1)
    job = a_job(client="a token")
    with mongod.client() as client:
        account = {"_id": f"jobs {job.account}", "version": 1}
        dead = {"id": "job-0", "candidates": 5, "at": time.time()}
        client["special"]["admissions"].insert_one(account | {"under_way": [dead]})
        with pytest.raises(AllowanceUsedUp):
            store.jobs.add(job, one)
        client["special"]["admissions"].update_one(account, {"$set": {"under_way": [dead | {"at": time.time() - 61}]}})
        assert store.jobs.add(job, one) == job
        assert client["special"]["admissions"].count_documents({"version": 2, "under_way": []}) == 1


def test_a_record_that_is_larger_than_a_document_is_refused_and_the_rest_is_kept(url: str) -> None:
    store = open_store(url)
    for _ in range(2):  # a new one, and in place of the earlier one
        with pytest.raises(RecordRefused, match="16 MB"):
            store.reports.save(a_report(reason="x" * 17_000_000))
        assert store.reports.save(a_report())
    assert store.reports.of_job("job-1") == [replace(a_report(), outcomes=())]


def test_a_leaderboard_may_be_larger_than_a_document(url: str) -> None:
    window = WindowForecast(origin_at=MONDAY, actual=(50.25,) * 20_000, prediction=(49.75,) * 20_000, measures=MEASURES)
    outcomes = tuple(
        Score(candidate=Candidate(model="prophet", hyperparameters={"n": n}), measures=MEASURES, windows=(window,) * 3, seconds=1)
        for n in range(30)
    )
    store = open_store(url)
    store.reports.save(QueueReport(job_id="job-1", queue="root.etl", state=QueueState.SUCCEEDED, outcomes=outcomes))
    assert store.reports.get("job-1", "root.etl").outcomes == outcomes


def test_what_an_earlier_release_kept_is_taken_along(url: str, mongod: MongoServer) -> None:
    with mongod.client() as client:
        for collection, documents in RECORDS.items():
            client["special"][collection].insert_many(documents)
        client["special"]["jobs"].update_one({"_id": "job-1"}, {"$unset": {"queued_at": ""}})  # from before there were retries
        client["special"]["signing_keys"].insert_one({"_id": "session", "value": "an administrator"})
        client["special"]["forecasts"].create_index([("queue", 1), ("metric", 1), ("job", 1), ("issued_at", -1)], unique=True)
        store = open_store(url)
        check_what_release_0_1_kept(store)
        assert store.jobs.get("job-1").queued_at is None
        assert {"signing_keys", "leaderboards"}.isdisjoint(client["special"].list_collection_names())
        assert "queue_1_metric_1_job_1_issued_at_-1" not in client["special"]["forecasts"].index_information()
        assert (client["special"]["queuecast_store"].find_one() or {})["schema"] == VERSION


def test_a_database_of_a_newer_release_is_refused(url: str, mongod: MongoServer) -> None:
    open_store(url).check()
    with mongod.client() as client:
        client["special"]["queuecast_store"].update_one({}, {"$set": {"schema": VERSION + 1}})
    with pytest.raises(InvalidSettings, match=f"schema {VERSION + 1} of a newer release; this one knows {VERSION}"):
        open_store(url).check()


@pytest.mark.timeout(25)  # the contract says 2 s; with pymongo's own limits it would be 30
def test_a_dead_server_is_away_at_once_for_the_api() -> None:
    store = open_store(DEAD, patience_seconds=1.0)
    for ask in (store.check, lambda: store.schedules.add(a_schedule())):  # the latter asks for room first
        with pytest.raises(StoreAway, match="refused"):
            ask()


@pytest.mark.timeout(60)
def test_a_frozen_server_is_away_within_the_limits(url: str, mongod: MongoServer) -> None:
    store = open_store(url, patience_seconds=1.0)
    store.check()
    mongod.freeze()
    try:
        with pytest.raises(StoreAway):
            store.check()
    finally:
        mongod.thaw()
    eventually(lambda: is_there(store), what="the server again")


@pytest.mark.parametrize(("user", "reason"), [("writer:wrong", "Authentication failed"), ("reader:reader", "not authorized")])
def test_a_user_who_may_not_is_said_so_and_waited_for(mongod_with_users: MongoServer, user: str, reason: str) -> None:
    with pytest.raises(StoreRefuses, match=reason) as caught:
        open_store(mongod_with_users.url_of("queuecast", user), patience_seconds=1.0).jobs.add(a_job())
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("url", ["mongodb://127.0.0.1:1/", "mongodb://u:p@ss@host/db", "mongodb://ann:secret@/x"])
def test_a_url_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidSettings, match="accepted is mongodb") as caught:
        open_store(url).check()
    assert "secret" not in str(caught.value)
    assert "p@ss" not in str(caught.value)


def test_a_file_without_certificates_is_named_with_setting_and_option(certificates: Certificates) -> None:
    with pytest.raises(InvalidSettings, match=r"QUEUECAST_STORE_URL: .*tlsCAFile=/nowhere/ca\.pem: No such file"):
        open_store("mongodb://ann:secret@127.0.0.1:1/q?tls=true&tlsCAFile=/nowhere/ca.pem").check()
    with pytest.raises(InvalidSettings, match=r"tlsCAFile=.*server\.key: not in PEM form|no certificate"):
        open_store(f"mongodb://127.0.0.1:1/q?tls=true&tlsCAFile={certificates.key}").check()
