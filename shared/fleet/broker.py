"""Celery, as Queuecast uses it: names of tasks, the application with its settings, and sending a job.

Every setting has its reason beside it, measured unless said otherwise; tests/chaos repeats the measurements. Truth is in run
state and store: any message may be lost, doubled or late.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import celery
from kombu import Queue

from shared.domain.lanes import USUAL, Lane, TaskLimits
from shared.drivers.faults import translated
from shared.drivers.redis_channels import prepare_channels
from shared.drivers.redis_server import RedisServer
from shared.errors import BrokerAway, ServiceError
from shared.fleet.celery_redis import BACKENDS, connections, impatience

_ABOUT_A_MINUTE = {"max_retries": 30, "interval_start": 0.1, "interval_step": 0.3, "interval_max": 2}


App = celery.Celery


class TaskName(StrEnum):
    """Names of tasks; none comes from a module's path, since a renamed file must not orphan queued messages."""

    PLAN = "queuecast.plan"
    READ = "queuecast.read"
    INGEST = "queuecast.ingest"
    SCORE = "queuecast.score"
    SELECT = "queuecast.select"
    SELECT_AFTER_ERROR = "queuecast.select_after_error"
    CHECK = "queuecast.check"
    LOOK = "queuecast.look"
    VERIFY = "queuecast.verify"
    DECIDE = "queuecast.decide"
    APPLY = "queuecast.apply"


ROUTES: dict[TaskName, Lane] = {
    TaskName.PLAN: Lane.PLAN,
    TaskName.READ: Lane.PLAN,
    TaskName.INGEST: Lane.PLAN,
    TaskName.SCORE: Lane.SCORE,  # or heavy, said at the call
    TaskName.SELECT: Lane.SELECT,  # likewise
    TaskName.SELECT_AFTER_ERROR: Lane.SELECT,
    TaskName.CHECK: Lane.CHECK,
    TaskName.LOOK: Lane.CHECK,
    TaskName.VERIFY: Lane.PLAN,
    TaskName.DECIDE: Lane.PLAN,
    TaskName.APPLY: Lane.PLAN,
}


class PatientTask(celery.Task[..., object]):
    """A task that waits while a service is away: `plan`, `read`, `ingest`, `select`, `decide` and `apply`, and never `score`."""

    autoretry_for = (ServiceError,)
    retry_backoff = True
    retry_backoff_max = 30  # far below the visibility timeout: a waiting message must not be taken for a lost one
    retry_jitter = True
    max_retries = 6


def make_celery(server: RedisServer, profile: Literal["worker", "api"], limits: TaskLimits = USUAL) -> celery.Celery:
    """The Celery application; profile `api` gives up at once where `worker` is patient. Who runs tasks says their limits."""
    prepare_channels()
    broker, results = server.broker.celery_url(), server.results.celery_url()
    app = celery.Celery("queuecast", broker=broker, backend=results, set_as_current=profile == "worker")
    app.loader.override_backends = BACKENDS
    app.conf.update(_tasks(limits) | _workers() | connections(server, limits) | _lanes())
    if profile == "api":
        app.conf.update(impatience(server, limits))
    return app


def enqueue_job(app: celery.Celery, job_id: str) -> None:
    """Wake somebody up to plan the job; raises BrokerAway at once when the broker does not answer."""
    _send(app, TaskName.PLAN, job_id, task_id=f"{job_id}.plan", lane=Lane.PLAN)


def enqueue_check(app: celery.Celery, question_id: str, lane: Lane = Lane.CHECK) -> None:
    """Wake somebody up to answer a question about a request; raises BrokerAway likewise. Nobody restores a lost one."""
    _send(app, TaskName.CHECK, question_id, task_id=f"{question_id}.check", lane=lane)


def enqueue_look(app: celery.Celery, question_id: str, lane: Lane = Lane.CHECK) -> None:
    """Wake somebody up to have a first look at a request's source; raises BrokerAway likewise. Nobody restores a lost one."""
    _send(app, TaskName.LOOK, question_id, task_id=f"{question_id}.look", lane=lane)


def enqueue_decision(app: celery.Celery, decision_id: str) -> None:
    """Wake somebody up to make a decision that is asked for; raises BrokerAway likewise. The reaper sends a lost one again."""
    _send(app, TaskName.DECIDE, decision_id, task_id=f"{decision_id}.decide", lane=Lane.PLAN)


def enqueue_applying(app: celery.Celery, decision_id: str) -> None:
    """Wake somebody up to put a decision into force; raises BrokerAway likewise. The reaper sends a lost one again."""
    _send(app, TaskName.APPLY, decision_id, task_id=f"{decision_id}.apply", lane=Lane.PLAN)


def _send(app: celery.Celery, name: TaskName, about: str, task_id: str, lane: Lane) -> None:
    with translated(BrokerAway, task_id=task_id):
        app.send_task(
            name.value, args=[about], task_id=task_id, queue=lane.value, argsrepr=about, ignore_result=True, retry=False
        )


def _tasks(limits: TaskLimits) -> dict[str, object]:
    return {
        "task_acks_late": True,  # acknowledged early, a task is lost with its process, and its chord hangs
        "task_reject_on_worker_lost": True,  # requeue the task of a dead child; nothing bounds that, hence the attempt counter
        "task_retry_on_worker_lost": False,
        "task_acks_on_failure": True,  # False requeues a task that fails again and again, and a chord gets its errback each time
        "task_acks_on_timeout": True,
        "task_ignore_result": True,  # outcomes are in the run state; chords still work
        "task_store_errors_even_if_ignored": False,
        "task_track_started": False,  # Flower learns STARTED from events
        "task_soft_time_limit": limits.soft_seconds,  # soft: a Failure; hard: kills the child
        "task_time_limit": limits.seconds,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],  # no pickle
        "task_publish_retry": True,
        "task_publish_retry_policy": _ABOUT_A_MINUTE,  # the default gives up after 0.6 s
    }


def _workers() -> dict[str, object]:
    return {
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,  # a message is taken only when a slot is free
        "worker_deduplicate_successful_tasks": False,  # True takes the second delivery of a header task for done: its chord hangs
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # a double run is harmless
        "worker_proc_alive_timeout": 30,  # children import slowly on a loaded machine
        "worker_lost_wait": 10,
        "worker_enable_remote_control": True,  # Flower needs it
        "worker_send_task_events": True,
        "task_send_sent_event": True,
        "worker_hijack_root_logger": False,  # structlog writes the log
        "worker_redirect_stdouts": False,
        "result_expires": 86_400,  # longer than any header task: a chord whose counter has expired hangs
        "timezone": "UTC",
        "enable_utc": True,
    }


def _lanes() -> dict[str, object]:
    return {
        "task_queues": [Queue(lane.value) for lane in Lane],
        "task_default_queue": Lane.PLAN.value,
        "task_create_missing_queues": False,  # a typo is an error
        "task_routes": {name.value: {"queue": lane.value} for name, lane in ROUTES.items()},
    }
