"""Celery, as Queuecast uses it: names of tasks, the application with its settings, and sending a job.

Every setting has its reason beside it; numbers in brackets are the facts of the measurements they rest on, which are
reproduced by tests/chaos. Truth is in run state and store: any message may be lost, doubled or late.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import celery
import kombu.exceptions
from celery.backends.redis import RedisBackend
from kombu import Queue

from shared.drivers.redis_server import RedisServer
from shared.errors import BrokerAway, ServiceError
from shared.forecasts import LONGEST_TASK_SECONDS, SOFT_LIMIT_SECONDS, Lane

_ABOUT_A_MINUTE = {"max_retries": 30, "interval_start": 0.1, "interval_step": 0.3, "interval_max": 2}


App = celery.Celery


class TaskName(StrEnum):
    """Names of tasks; none comes from a module's path, since a renamed file must not orphan queued messages."""

    PLAN = "queuecast.plan"
    INGEST = "queuecast.ingest"
    SCORE = "queuecast.score"
    SELECT = "queuecast.select"
    SELECT_AFTER_ERROR = "queuecast.select_after_error"
    CHECK = "queuecast.check"


ROUTES: dict[TaskName, Lane] = {
    TaskName.PLAN: Lane.PLAN,
    TaskName.INGEST: Lane.PLAN,
    TaskName.SCORE: Lane.SCORE,  # or heavy, said at the call
    TaskName.SELECT: Lane.SELECT,  # likewise
    TaskName.SELECT_AFTER_ERROR: Lane.SELECT,
    TaskName.CHECK: Lane.CHECK,
}


class QuietBackend(RedisBackend):
    """Nobody waits for a Celery result, so subscribe to none: chords would leak one subscription per header task."""

    def add_pending_result(self, result: Any, weak: bool = False, start_drainer: bool = True) -> Any:  # noqa: ARG002 - Celery's signature
        """Remember nothing."""
        return result

    def on_task_call(self, producer: Any, task_id: str) -> None:
        """Subscribe to nothing."""


class PatientTask(celery.Task[Any, Any]):
    """A task that waits while a service is away. `plan`, `ingest` and `select` are; `score` never is."""

    autoretry_for = (ServiceError,)
    retry_backoff = True
    retry_backoff_max = 30  # far below the visibility timeout: a waiting message must not be taken for a lost one
    retry_jitter = True
    max_retries = 6


def make_celery(server: RedisServer, profile: Literal["worker", "api"]) -> celery.Celery:
    """The Celery application; profile `api` gives up at once where `worker` is patient."""
    app = celery.Celery("queuecast", broker=server.broker, backend=server.results, set_as_current=profile == "worker")
    app.loader.override_backends = dict.fromkeys(("redis", "rediss", "redis+socket"), "shared.broker:QuietBackend")
    app.conf.update(_tasks() | _workers() | _connections(is_socket=server.is_socket) | _lanes())
    if profile == "api":
        app.conf.update(_impatience(is_socket=server.is_socket))
    return app


def enqueue_job(app: celery.Celery, job_id: str) -> None:
    """Wake somebody up to plan the job; raises BrokerAway at once when the broker does not answer."""
    _send(app, TaskName.PLAN, job_id, task_id=f"{job_id}.plan", lane=Lane.PLAN)


def enqueue_check(app: celery.Celery, question_id: str, lane: Lane = Lane.CHECK) -> None:
    """Wake somebody up to answer a question about a request; raises BrokerAway likewise. Nobody restores a lost one."""
    _send(app, TaskName.CHECK, question_id, task_id=f"{question_id}.check", lane=lane)


def _send(app: celery.Celery, name: TaskName, about: str, task_id: str, lane: Lane) -> None:
    options: dict[str, Any] = {"task_id": task_id, "queue": lane.value, "argsrepr": about, "ignore_result": True, "retry": False}
    try:
        app.send_task(name.value, args=[about], **options)
    except kombu.exceptions.OperationalError as error:
        raise BrokerAway(str(error), task_id=task_id) from error


def _tasks() -> dict[str, Any]:
    return {
        "task_acks_late": True,  # else every kill loses the running task and hangs its chord (3)
        "task_reject_on_worker_lost": True,  # a dead child's task is requeued; only safe with the attempt counter (6)
        "task_retry_on_worker_lost": False,
        "task_acks_on_failure": True,  # False requeues for ever (16)
        "task_acks_on_timeout": True,
        "task_ignore_result": True,  # outcomes are in the run state; chords still work
        "task_store_errors_even_if_ignored": False,
        "task_track_started": False,  # Flower learns STARTED from events
        "task_soft_time_limit": SOFT_LIMIT_SECONDS,  # soft: a Failure; hard: kills the child
        "task_time_limit": LONGEST_TASK_SECONDS,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],  # no pickle
        "task_publish_retry": True,
        "task_publish_retry_policy": _ABOUT_A_MINUTE,  # the default gives up after 0.6 s (12)
    }


def _workers() -> dict[str, Any]:
    return {
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,  # a message is taken only when a slot is free
        "worker_deduplicate_successful_tasks": False,  # True hangs chords (9)
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # a double run is harmless
        "worker_max_tasks_per_child": 500,  # leaks of native libraries
        "worker_max_memory_per_child": 1_500_000,  # KB
        "worker_proc_alive_timeout": 30,  # children import slowly on a loaded machine
        "worker_lost_wait": 10,
        "worker_enable_remote_control": True,  # Flower needs it
        "worker_send_task_events": True,
        "task_send_sent_event": True,
        "worker_hijack_root_logger": False,  # structlog writes the log
        "worker_redirect_stdouts": False,
        "result_expires": 86_400,  # longer than any header task (15)
        "timezone": "UTC",
        "enable_utc": True,
    }


def _connections(*, is_socket: bool) -> dict[str, Any]:
    transport: dict[str, Any] = {
        "visibility_timeout": 2 * LONGEST_TASK_SECONDS + 60,  # waits at most one limit, runs at most one; shorter runs twice (5)
        "unacked_restore_interval": 5,  # sweep every 5 s; the defaults gave 100 s (4)
        "unacked_restore_throttle": 1,
        "queue_order_strategy": "priority",  # lanes in the order of -Q, callbacks first (21)
        "socket_timeout": 10,  # the default waits for ever on a dead connection
        "socket_connect_timeout": 5,
        "retry_on_timeout": True,
        "health_check_interval": 10,
    }
    if not is_socket:
        transport["socket_keepalive"] = True
    return {
        "broker_transport_options": transport,
        "broker_connection_retry_on_startup": True,  # start before Redis, never give up
        "broker_connection_timeout": 4,
        "broker_connection_max_retries": None,
        "result_backend_always_retry": True,  # else every short outage fails a chord (12)
        "result_backend_max_retries": 60,  # minutes, then it fails; endless would pin the child
        "result_backend_max_sleep_between_retries_ms": 5_000,
        "redis_socket_timeout": 10,
        "redis_socket_connect_timeout": 5,
        "redis_retry_on_timeout": True,
        "redis_backend_health_check_interval": 10,
        "redis_socket_keepalive": not is_socket,  # a TypeError on a unix socket (23)
        "redis_max_connections": None,  # no cap below the API's threads
    }


def _lanes() -> dict[str, Any]:
    return {
        "task_queues": [Queue(lane.value) for lane in Lane],
        "task_default_queue": Lane.PLAN.value,
        "task_create_missing_queues": False,  # a typo is an error
        "task_routes": {name.value: {"queue": lane.value} for name, lane in ROUTES.items()},
    }


def _impatience(*, is_socket: bool) -> dict[str, Any]:
    """The API answers 503 in under 2 s; with a worker's settings a publish can hang for minutes on a frozen server (20).

    It tells nobody that it has sent: that event costs a second message per submit, and Flower hears of the first one's arrival.
    """
    patience = _connections(is_socket=is_socket)["broker_transport_options"]
    hurry = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "retry_on_timeout": False, "max_retries": 1}
    pauses = {"interval_start": 0, "interval_step": 0, "interval_max": 0}
    limits = {"broker_transport_options": patience | hurry | pauses, "broker_connection_timeout": 0.5}
    return limits | {"task_send_sent_event": False}
