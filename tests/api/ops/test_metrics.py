"""What Prometheus reads from the API, on a real broker and a real store, also while one of them is away."""

from __future__ import annotations

import signal
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api.edge.context import EXTENSION
from api.edge.known import KnownTokens
from shared.config.settings import Settings
from shared.domain.distribution import Paths, Quantiles
from shared.domain.forecasts import Forecast
from shared.domain.jobs import JobState
from shared.domain.lanes import Lane
from shared.drivers.redis_server import redis_client, redis_server
from shared.fleet.runstate import RunState
from shared.fleet.runstate.members import REAPER
from shared.fleet.runstate.values import LivingWorker
from shared.store import Store, open_store
from tests.api.bodies import a_body
from tests.api.scene import MakeApp, OwnBroker, in_time
from tests.factories import a_forecast, a_job, a_schedule, an_accuracy
from tests.scraping import counted_here, sample

OLDEST = "queuecast_oldest_job_seconds"
UP = "queuecast_service_up"


def scrape(client: FlaskClient) -> str:
    """What Prometheus reads, which came in time."""
    answer = in_time(client, "GET", "/metrics", None)
    assert answer.status_code == 200
    return answer.text


def requests_of(method: str, route: str, status: str) -> float:
    return counted_here("queuecast_http_requests_total", method=method, route=route, status=status)


def depths(text: str) -> dict[str, float | None]:
    return {lane.value: sample(text, "queuecast_lane_depth", lane=lane.value) for lane in Lane}


def test_the_answer_is_the_text_format_and_no_json(client: FlaskClient) -> None:
    answer = client.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.startswith("# HELP ")


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/v1/jobs/none-such", "/v1/jobs/<job_id>", "404"),
        ("HEAD", "/version", "/version", "200"),
        ("GET", "/v1/jobs?limit=x", "/v1/jobs", "422"),
        ("POST", "/v1/jobs", "/v1/jobs", "415"),
        ("GET", "/wp-login.php", "unmatched", "404"),
        ("DELETE", "/version", "unmatched", "405"),
    ],
)
def test_a_request_is_counted_under_the_rule_of_its_route(
    client: FlaskClient, method: str, path: str, route: str, status: str
) -> None:
    before = requests_of(method, route, status), counted_here("queuecast_http_seconds_count", route=route)
    client.open(path, method=method)
    assert requests_of(method, route, status) == before[0] + 1
    assert counted_here("queuecast_http_seconds_count", route=route) == before[1] + 1


def test_callers_cannot_make_series_by_inventing_methods(client: FlaskClient) -> None:
    before = requests_of("other", "unmatched", "405")
    for method in ("BREW", "WHEN"):
        client.open("/version", method=method)
    assert requests_of("other", "unmatched", "405") == before + 2
    assert "BREW" not in scrape(client)


def test_without_jobs_every_lane_is_empty_and_nothing_is_old(client: FlaskClient) -> None:
    text = scrape(client)
    assert depths(text) == dict.fromkeys((lane.value for lane in Lane), 0)
    assert sample(text, "queuecast_lane_running", lane="score") == 0
    assert sample(text, OLDEST) == sample(text, "queuecast_overdue_job_seconds") == 0
    assert services(text) == {"broker": 1, "store": 1}


def test_who_is_at_work_is_told_of_a_fleet_of_any_kind(client: FlaskClient, run_state: RunState) -> None:
    def told() -> tuple[float | None, dict[str, float | None]]:
        text = scrape(client)
        serving = {lane.value: sample(text, "queuecast_lane_workers", lane=lane.value) for lane in Lane}
        return sample(text, "queuecast_reaper_up"), serving

    assert told() == (0, dict.fromkeys(Lane, 0))
    assert run_state.members.holds(run_state.members.lock(REAPER, 30))
    for name, lanes in (("a", ("select", "score")), ("b", ("score",))):
        run_state.members.announce(LivingWorker(worker_id=name, lanes=lanes, slots=1))
    assert told() == (1, {"select": 1, "check": 0, "plan": 0, "score": 2, "heavy": 0})


def test_schedules_and_the_jobs_they_made_are_told(client: FlaskClient, store: Store) -> None:
    job = a_job(job_id="made")
    store.jobs.add(job)
    store.jobs.move("made", {JobState.QUEUED}, JobState.FAILED, "as told", datetime.now(UTC))
    store.schedules.add(a_schedule(last_job_id="made", due_at=datetime.now(UTC) - timedelta(minutes=10)))
    text, about = scrape(client), {"project": "capacity forecasting", "schedule": "every morning", "schedule_id": "s-1"}
    about["run"] = "search"
    assert sample(text, "queuecast_schedule_late_seconds", **about) == pytest.approx(600, abs=30)
    assert sample(text, "queuecast_schedule_failed", **about, why="failed") == 1
    assert sample(text, "queuecast_schedule_failed", **about, why="skipped") == 0


def test_the_chance_of_a_breach_comes_from_the_paths_that_are_kept(client: FlaskClient, store: Store) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    fan = Quantiles(levels=(0.5, 0.99), values=((50.0, 50.0, 50.0), (50.0, 50.0, 101.0)))
    paths = Paths.of([[50.0, 50.0, 101.0], [50.0] * 3], blocks=14)
    forecast = a_forecast(issued_at=now, created_at=now, quantiles=fan, paths=paths, maximum=100.0)
    store.forecasts.save(forecast)
    assert gauge_of(scrape(client), forecast, "queuecast_queue_breach_probability") == 0.5


def test_the_failures_of_every_route_are_counted_from_0_on(client: FlaskClient) -> None:
    text = scrape(client)
    for method, route in (("POST", "/v1/jobs"), ("GET", "/v1/jobs/<job_id>"), ("GET", "/readyz"), ("GET", "/")):
        for status in ("500", "503"):
            assert sample(text, "queuecast_http_requests_total", method=method, route=route, status=status) is not None


def services(text: str) -> dict[str, float | None]:
    return {name: sample(text, UP, service=name) for name in ("broker", "store")}


def test_of_a_lane_whose_key_holds_something_else_nothing_is_said(client: FlaskClient, settings: Settings) -> None:
    with closing(redis_client(redis_server(settings).broker, is_patient=False)) as broker:
        broker.set("score", "somebody else's")
    text = scrape(client)
    assert depths(text) == {"select": 0, "check": 0, "plan": 0, "score": None, "heavy": 0}
    assert sample(text, "queuecast_lane_running", lane="score") == 0
    assert sample(text, OLDEST) == 0


def test_a_job_that_nobody_takes_waits_in_its_lane_and_grows_old(client: FlaskClient, store: Store) -> None:
    store.jobs.add(a_job(job_id="done", created_at=datetime.now(UTC) - timedelta(days=2)))
    store.jobs.move("done", {JobState.QUEUED}, JobState.FAILED, "as told", datetime.now(UTC))
    store.jobs.add(a_job(job_id="old", created_at=datetime.now(UTC) - timedelta(minutes=10)))
    assert client.post("/v1/jobs", json=a_body()).status_code == 202
    text = scrape(client)
    assert depths(text) == {"select": 0, "check": 0, "plan": 1, "score": 0, "heavy": 0}
    assert sample(text, OLDEST) == pytest.approx(600, abs=30)


def test_a_job_that_is_tried_again_is_as_old_as_its_retry(client: FlaskClient, store: Store) -> None:
    now = datetime.now(UTC)
    store.jobs.add(a_job(job_id="again", created_at=now - timedelta(days=2)))
    store.jobs.move("again", {JobState.QUEUED}, JobState.FAILED, "as told", now)
    store.jobs.reopen("again", {JobState.FAILED}, now)
    assert sample(scrape(client), OLDEST) == pytest.approx(0, abs=30)


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["gone", "frozen"])
def test_while_the_broker_is_away_only_the_lanes_are_absent(
    make_app: MakeApp, own_broker: OwnBroker, fault: signal.Signals
) -> None:
    settings, server = own_broker
    client = make_app(settings).test_client()
    assert depths(scrape(client))["plan"] == 0
    server.send_signal(fault)
    text = scrape(client)
    assert set(depths(text).values()) == {None}
    assert sample(text, "queuecast_reaper_up") is None
    assert sample(text, OLDEST) == 0
    assert services(text) == {"broker": 0, "store": 1}


def test_while_the_store_is_away_only_the_age_is_absent(
    run_state: RunState, make_app: MakeApp, storeless: Settings, tmp_path: Path
) -> None:
    app, seen = make_app(storeless), open_store(f"sqlite://{tmp_path / 'seen.db'}")
    vars(app.extensions[EXTENSION])["known_tokens"] = KnownTokens(lambda: seen.tokens)  # what it has seen before that
    text = scrape(app.test_client())
    assert sample(text, OLDEST) is None
    assert depths(text)["plan"] == 0
    assert services(text) == {"broker": 1, "store": 0}


def test_what_is_shown_of_a_queue_is_that_of_each_series_newest_issue(client: FlaskClient, store: Store) -> None:
    now = datetime.now(UTC)
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    newest = a_forecast(issued_at=this_hour, created_at=now, mape=7.0)
    store.forecasts.save(newest)
    for changes in ({"project": "another", "mape": 8.0}, {"cluster": "b", "mape": 9.0}, {"queue": "root.none", "mape": None}):
        store.forecasts.save(replace(newest, **changes))
    retried = {"issued_at": this_hour - timedelta(days=1), "created_at": now + timedelta(minutes=1), "mape": 99.0}
    store.forecasts.save(replace(newest, job_id="of yesterday, tried again", **retried))
    store.forecasts.save(replace(newest, queue="root.old", created_at=now - timedelta(days=31)))
    store.accuracy.save([an_accuracy(issued_at=this_hour - timedelta(hours=1))])
    text = scrape(client)
    shown = [gauge_of(text, newest, **changes) for changes in ({}, {"project": "another"}, {"cluster": "b"})]
    assert shown == [7.0, 8.0, 9.0]
    assert isnan(gauge_of(text, newest, queue="root.none") or 0.0)
    assert gauge_of(text, newest, queue="root.old") is None
    answer = client.get(f"/v1/queues/{newest.queue}/accuracy?project={newest.project}&cluster={newest.cluster}").json
    for gauge, told in (("queuecast_queue_real_wape", "wape"), ("queuecast_queue_real_coverage", "coverage")):
        assert gauge_of(text, newest, gauge) == answer["overall"][told]
        assert gauge_of(text, newest, gauge, cluster="b") is None


def gauge_of(text: str, forecast: Forecast, name: str = "queuecast_queue_mape", **changes: str) -> float | None:
    """What is shown of the forecast's series, with other labels."""
    labels = {label: getattr(forecast, label) for label in ("project", "cluster", "queue", "metric", "job")}
    return sample(text, name, **(labels | changes))
