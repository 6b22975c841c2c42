"""One record that cannot be read stops neither a list nor whoever works through it; every store is held to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from shared.domain.allowances import Allowance
from shared.domain.jobs import JobFilter, JobState
from shared.domain.tokens import Scope, make_token
from shared.errors import RecordUnreadable
from shared.store import Store, reading
from shared.store.schedules import SCHEDULES
from tests.factories import MONDAY, a_forecast, a_job, a_report, a_schedule, a_series
from tests.servers import MongoServer

Break = Callable[[str, str, str, str], None]  # table, column of the key, key, what somebody writes in place of the document


@pytest.fixture
def break_(url: str, request: pytest.FixtureRequest) -> Break:
    reading._told.clear()

    def by_hand(table: str, key: str, value: str, new: str) -> None:
        if url.startswith("sqlite"):
            with closing(sqlite3.connect(url.removeprefix("sqlite://"), isolation_level=None)) as db:
                assert db.execute(f"UPDATE {table} SET document = ? WHERE {key} = ?", (new, value)).rowcount
            return
        server: MongoServer = request.getfixturevalue("mongod")
        with server.client() as client:
            mine = {"$or": [{"_id": value}, {key: value}]}
            assert client["store"][table].update_many(mine, {"$set": {"document": new}}).modified_count

    return by_hand


@pytest.mark.parametrize("new", ["not JSON", "{}", '{"job_id": "job-2", "state": "dreaming"}'])
def test_a_job_that_cannot_be_read_stops_no_page(store: Store, break_: Break, new: str) -> None:
    for number in range(6):
        store.jobs.add(a_job(job_id=f"job-{number}", created_at=MONDAY + timedelta(hours=number)))
    for bad in ("job-5", "job-4", "job-2"):
        break_("jobs", "job_id", bad, new)
    with capture_logs() as lines:
        for _ in range(3):
            assert [job.job_id for job in store.jobs.find(JobFilter(), 2)] == ["job-3", "job-1"]
        assert [job.job_id for job in store.jobs.find(JobFilter(), 9)] == ["job-3", "job-1", "job-0"]
    assert sorted(line["job_id"] for line in lines if "cannot be read" in line["event"]) == ["job-2", "job-4", "job-5"]
    assert [job.job_id for job in store.jobs.open()] == ["job-0", "job-1", "job-3"]
    with pytest.raises(RecordUnreadable, match=r"A record of the store cannot be read.*job-2"):
        store.jobs.get("job-2")
    with pytest.raises(RecordUnreadable, match="job-2"):
        store.jobs.reopen("job-2", {JobState.FAILED}, MONDAY)


def test_a_schedule_that_cannot_be_read_stops_no_other(store: Store, break_: Break) -> None:
    store.schedules.add(a_schedule(schedule_id="good"))
    store.schedules.add(a_schedule(schedule_id="bad"))
    break_("schedules", "schedule_id", "bad", '{"schedule_id": "bad"}')
    assert [schedule.schedule_id for schedule in store.schedules.all()] == ["good"]
    with pytest.raises(RecordUnreadable, match="bad"):
        store.get(SCHEDULES, "bad")


def test_what_cannot_be_read_uses_up_no_allowance_and_stops_no_count(store: Store, break_: Break) -> None:
    allowance = Allowance(open_jobs=5, candidates=50_000, schedules=5)
    store.jobs.add(a_job(job_id="bad"), allowance)
    store.schedules.add(a_schedule(schedule_id="bad"), allowance)
    break_("jobs", "job_id", "bad", "not JSON")
    break_("schedules", "schedule_id", "bad", "not JSON")
    assert store.jobs.add(a_job(job_id="good"), allowance).job_id == "good"
    store.schedules.add(a_schedule(schedule_id="good"), allowance)
    assert [schedule.schedule_id for schedule in store.schedules.all()] == ["good"]


def test_a_token_that_cannot_be_read_opens_nothing_and_leaves_nothing_open(store: Store, break_: Break) -> None:
    token, _secret = make_token(name="ci", scope=Scope.READ, created_at=MONDAY)
    store.tokens.add(token)
    break_("tokens", "token_id", token.token_id, '{"scope": "everything"}')
    assert store.tokens.all() == []
    assert store.tokens.were_made()


def test_a_report_that_cannot_be_read_leaves_those_of_other_queues(store: Store, break_: Break) -> None:
    for queue in ("root.a", "root.b"):
        store.reports.save(a_report(queue=queue))
    break_("reports", "queue", "root.a", '{"report": {"state": "dreaming"}}')
    assert [report.queue for report in store.reports.of_job("job-1")] == ["root.b"]
    with pytest.raises(RecordUnreadable, match=r"root\.a"):
        store.reports.get("job-1", "root.a")
    assert store.reports.save(a_report(queue="root.a"))  # a queue always ends
    assert store.reports.get("job-1", "root.a") == a_report(queue="root.a")


def test_a_forecast_that_cannot_be_read_leaves_all_others(store: Store, break_: Break) -> None:
    for queue in ("root.a", "root.b"):
        store.forecasts.save(a_forecast(queue=queue))
    break_("forecasts", "queue", "root.a", '{"queue": "root.a", "prediction": ["much"]}')
    for forecasts in (store.forecasts.find(), store.forecasts.newest_of_each()):
        assert [forecast.queue for forecast in forecasts] == ["root.b"]
    with pytest.raises(RecordUnreadable):
        store.forecasts.newest(a_series("root.a").series_id, a_forecast().job)
    span = {"since": MONDAY - timedelta(days=9), "before": MONDAY + timedelta(days=9), "limit": 5}
    assert store.forecasts.unverified(a_series("root.a"), **span) == []
    assert len(store.forecasts.unverified(a_series("root.b"), **span)) == 1
