"""Celery's settings on a real server: what the API may wait for, and what must not be left behind."""

from __future__ import annotations

import inspect
import time

import celery
import pytest
from celery.backends.redis import RedisBackend

from shared.config.settings import Settings
from shared.domain.lanes import MAX_TASK_SECONDS, Lane
from shared.drivers.redis_server import redis_client, redis_server
from shared.errors import BrokerAway
from shared.fleet.broker import ROUTES, TaskName, enqueue_job, make_celery
from shared.fleet.celery_redis import QuietBackend
from shared.fleet.lanes import Lanes
from shared.fleet.runstate import RunState

NOWHERE = redis_server(Settings(broker_url="redis://127.0.0.1:1/0"))


@pytest.fixture
def app(settings: Settings, run_state: RunState) -> celery.Celery:
    """The API's Celery on an empty broker."""
    return make_celery(redis_server(settings), "api")


def test_a_job_is_one_message_with_an_id_that_a_person_can_read(app: celery.Celery, settings: Settings) -> None:
    enqueue_job(app, "job-1")
    view = Lanes.open(settings).look()
    assert dict(view.waiting) == {"job-1.plan": "plan"}
    assert (view.depth(Lane.PLAN), view.depth(Lane.SCORE), view.running(Lane.PLAN)) == (1, 0, 0)


def test_a_message_that_a_worker_has_taken_is_held(app: celery.Celery, settings: Settings) -> None:
    enqueue_job(app, "job-1")
    before = time.time()
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue("plan").get(timeout=60)
        view = Lanes.open(settings).look()
        assert view.waiting == {}
        assert view.held["job-1.plan"].lane == "plan"
        assert view.held["job-1.plan"].since >= before - 1
        assert view.running(Lane.PLAN) == 1
        message.ack()
    assert Lanes.open(settings).look().held == {}


@pytest.mark.timeout(60)  # the contract says 2 s; with a worker's patience it would be minutes
def test_a_broker_that_is_away_is_said_so_at_once() -> None:
    with pytest.raises(BrokerAway, match="job-1"):
        enqueue_job(make_celery(NOWHERE, "api"), "job-1")


def test_nobody_subscribes_to_results(app: celery.Celery, settings: Settings) -> None:
    worker_app = make_celery(redis_server(settings), "worker")
    header = [celery.signature("queuecast.score", args=("job", "queue", n, n, False), app=worker_app) for n in range(3)]
    callback = celery.signature("queuecast.select", args=("job", "queue", False), app=worker_app)
    celery.chord(header, callback, app=worker_app).apply_async()
    client = redis_client(redis_server(settings).broker, is_patient=False)
    assert client.pubsub_channels() == []
    assert Lanes.open(settings).look().depth(Lane.SCORE) == 3


def test_every_scheme_gets_the_quiet_backend_which_replaces_methods_that_exist(app: celery.Celery) -> None:
    """Held against the pinned Celery: a renamed method would silently subscribe again."""
    assert all(isinstance(each.backend, QuietBackend) for each in (app, make_celery(NOWHERE, "api")))
    for name in ("add_pending_result", "on_task_call"):
        theirs, ours = getattr(RedisBackend, name), getattr(QuietBackend, name)
        assert list(inspect.signature(theirs).parameters) == list(inspect.signature(ours).parameters)


def test_every_task_has_a_lane() -> None:
    assert set(ROUTES) == set(TaskName)


def test_a_message_is_json_waits_at_most_one_limit_and_runs_at_most_one(app: celery.Celery) -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.broker_transport_options["visibility_timeout"] > 2 * MAX_TASK_SECONDS
    assert app.conf.task_time_limit == MAX_TASK_SECONDS
    assert app.conf.task_soft_time_limit < MAX_TASK_SECONDS


def test_every_setting_is_one_that_celery_knows(app: celery.Celery) -> None:
    """A misspelled setting would be ignored silently."""
    from celery.app.defaults import NAMESPACES, flatten

    known = {name for name, _ in flatten(NAMESPACES)} | {"redis_backend_health_check_interval"}  # read, but not in its table
    assert {name for name in app.conf.changes if name not in known} - {"deprecated_settings"} == set()  # Celery's own note
