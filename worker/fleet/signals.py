"""What happens beside the tasks: a worker starts, a child starts, a hard time limit strikes."""

from __future__ import annotations

import gc
import importlib
import logging

import celery
import structlog
from celery.exceptions import TimeLimitExceeded
from celery.signals import after_setup_logger, task_failure, task_prerun, worker_init, worker_process_init, worker_ready
from celery.worker import WorkController
from celery.worker.consumer import Consumer

from shared.domain.lanes import Lane
from shared.errors import ServiceError, TimeLimitReached
from shared.fleet.broker import TaskName
from shared.fleet.runstate import RunState
from shared.telemetry import metrics
from shared.telemetry.tracing import start_tracing
from worker.fleet.parent_death import die_with_parent
from worker.job.attempts import record_failure
from worker.job.catalogue import model_cards
from worker.job.resources import Resources, current_resources, provide
from worker.models import models
from worker.sinks import sinks
from worker.sources import sources

# Imported once by the parent, so that every child has them for nothing.
PRELOADED = {
    Lane.SCORE: ("pyarrow.ipc", "prophet", "statsforecast.models", "statsmodels.tsa.api", "sklearn.preprocessing"),
    Lane.HEAVY: ("pyarrow.ipc", "torch", "sklearn.preprocessing"),
}

log = structlog.get_logger(__name__)


@worker_init.connect
def prepare_parent(sender: WorkController, **_: object) -> None:
    """Before the fork: end with the watchdog, import what the children will need.

    Frozen, what is there is never looked through for garbage, which takes 0.2 s for 300,000 objects and writes into each of
    their pages, so that every child would have a copy of its own.
    """
    die_with_parent()
    for lane in sender.app.amqp.queues.consume_from:
        for name in PRELOADED.get(Lane(lane), ()):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


@after_setup_logger.connect
def write_of_children(**_: object) -> None:
    """A child that was killed is told by a logger that passes nothing on, and that Celery lets write lines of its own form."""
    logging.getLogger("multiprocessing").handlers = logging.getLogger().handlers


@worker_process_init.connect
def prepare_child(**_: object) -> None:
    """After the fork: connections and traces of its own; it ends when its parent ends."""
    die_with_parent()
    parent = current_resources()
    provide(Resources(parent.settings, parent.worker_id, file=parent.file))
    start_tracing("worker")


@worker_ready.connect
def begin_counting(sender: Consumer, **_: object) -> None:
    """Once the children are there, which need not keep a copy of what begins at 0."""
    lanes = set(sender.app.amqp.queues.consume_from)
    tried = [name for name in models if models[name].lane in lanes]
    metrics.expect_work(tried, sources, sinks)


@worker_ready.connect
def publish_catalogue(**_: object) -> None:
    """Say what this worker's models are; API and dashboard read it."""
    try:
        RunState.open(current_resources().settings, is_patient=True).members.publish(model_cards())
    except ServiceError as error:
        log.warning("catalogue not published", reason=str(error))


@task_prerun.connect
def follow_file(**_: object) -> None:
    """A task begins with the connections that are configured now."""
    current_resources().follow_file()


@task_failure.connect
def record_hard_limit(
    sender: celery.Task[..., object], exception: BaseException, args: tuple[str, str, int, int, bool], **_: object
) -> None:
    """A hard limit kills the child, so the main process writes the failure: one write, and only for a single candidate."""
    if not isinstance(exception, TimeLimitExceeded) or sender.name != TaskName.SCORE.value:
        return
    job_id, queue, first, last, _is_solo = args
    if first != last:  # a block: the reaper sends what is left of it one by one
        return
    try:
        record_failure(RunState.open(current_resources().settings, is_patient=False), job_id, queue, first, TimeLimitReached())
    except ServiceError as error:
        log.warning("time limit not recorded", job_id=job_id, queue=queue, reason=str(error))
