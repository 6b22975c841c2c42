"""Celery's view of the steps: names, limits, and which message follows which step. Tasks carry ids and return nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial

import structlog
from celery import current_task, shared_task
from celery.exceptions import SoftTimeLimitExceeded

from shared.domain.codec import from_json, to_json
from shared.domain.first_look import FirstLook
from shared.domain.jobs import JobRequest
from shared.domain.lanes import Lane
from shared.domain.validation import Problem, Validation
from shared.errors import BrokerAway, JobNotFound, OutOfMemory, QueuecastError, ServiceError, SourceAway, TimeLimitReached
from shared.fleet.broker import PatientTask, TaskName
from shared.telemetry.logs import log_about
from shared.telemetry.tracing import describe_span
from worker.fleet import workflow
from worker.fleet.after import after_end
from worker.fleet.failure_events import tell_failure
from worker.job import applying, deciding, steps
from worker.job.blocks import end_block, read_block
from worker.job.cold_start import freed_queues
from worker.job.concurrency import fill
from worker.job.effects import score_effects
from worker.job.first_look import first_look
from worker.job.resources import current_resources
from worker.job.validation import validate
from worker.job.verification import verify_job

log = structlog.get_logger(__name__)


@shared_task(name=TaskName.PLAN.value, base=PatientTask)
def plan(job_id: str) -> None:
    """Name the job's queues and let the first ones in."""
    with _unit(job_id):
        steps.plan(job_id)
        advance(job_id)


@shared_task(name=TaskName.READ.value, base=PatientTask)
def read(job_id: str, block: int) -> None:
    """Read a block of the job's queues, and have those ingested that wait for it.

    A source that is still away at the last retry may be so for one of the queues only, for which the others need not wait.
    """
    with _about(job_id, None):
        try:
            queues = read_block(job_id, block)
        except ServiceError as error:
            _note_waiting(job_id, lambda: current_resources().run_state.readings.waiting(job_id, block), error)
            if not isinstance(error, SourceAway) or read.request.retries < PatientTask.max_retries:
                raise
            queues = end_block(job_id, block)
        else:
            _note_goes_on()
        for queue in queues:
            workflow.send_ingest(job_id, queue)


@shared_task(name=TaskName.INGEST.value, base=PatientTask)
def ingest(job_id: str, queue: str) -> None:
    """Read a queue, fix its candidates, send its chord."""
    with _unit(job_id, queue):
        work = steps.ingest(job_id, queue)
        if work is not None:
            workflow.publish_queue(job_id, queue, work)
            return
    advance(job_id)


@shared_task(name=TaskName.SCORE.value)
def score(job_id: str, queue: str, first: int, last: int, is_solo: bool) -> None:
    """Score the candidates `first` … `last` of a queue."""
    with _about(job_id, queue):
        for index, lane in steps.score(job_id, queue, range(first, last + 1), partial(tell_failure, job_id, queue)):
            workflow.send_solo(job_id, queue, index, lane)
        if is_solo and steps.is_scored(job_id, queue):
            workflow.send_select(job_id, queue)


@shared_task(name=TaskName.SELECT.value, base=PatientTask)
def select(job_id: str, queue: str, is_heavy: bool) -> None:
    """Choose the queue's winner, forecast, deliver."""
    with _unit(job_id, queue):
        what = steps.select(job_id, queue, is_heavy=is_heavy)
        if what is steps.Selecting.NEEDS_HEAVY_LANE:
            workflow.send_select(job_id, queue, Lane.HEAVY)
            return
        if what is steps.Selecting.STARTS_OVER:
            workflow.send_ingest(job_id, queue)
            return
    advance(job_id)


@shared_task(name=TaskName.SELECT_AFTER_ERROR.value)
def select_after_error(failed_task_id: str, *, job_id: str, queue: str) -> None:
    """A header task failed as a Celery task: `select` finds out from the run state what that means."""
    log.warning("a score task failed", job_id=job_id, queue=queue, task_id=failed_task_id)
    workflow.send_select(job_id, queue)


@shared_task(name=TaskName.CHECK.value)
def check(question_id: str) -> None:
    """Answer what the API asks about a request; whoever asked waits for seconds only."""
    _answer(question_id, validate, lambda problem: Validation(problems=(problem,)))


@shared_task(name=TaskName.LOOK.value)
def look(question_id: str) -> None:
    """Have a first look at a request's source; whoever asked waits for seconds only."""
    _answer(question_id, first_look, lambda problem: FirstLook(problems=(problem,)))


def _answer(question_id: str, see: Callable[[JobRequest, datetime], object], failed: Callable[[Problem], object]) -> None:
    """Answer with what is seen; whoever asks hears of a bug of ours, too, instead of waiting for nothing."""
    questions = current_resources().run_state.questions
    text = questions.question(question_id)
    if text is None:
        return
    try:
        answer = see(from_json(JobRequest, text), datetime.now(UTC))
    except Exception as error:
        log.exception("internal error", question_id=question_id)
        details = f"the log of the worker has the details of question {question_id}"
        answer = failed(Problem(field="", message=f"Internal error: {type(error).__name__}; {details}"))
    questions.answer(question_id, to_json(answer))


@shared_task(name=TaskName.VERIFY.value)
def verify(job_id: str, first: int) -> None:
    """Compare earlier forecasts of the job's queues with what happened since; nothing waits for it, and nobody repeats it."""
    with log_about(job_id=job_id), suppress(JobNotFound):
        resources = current_resources()
        following = verify_job(resources.store, resources.store.jobs.get(job_id), first, resources.settings)
        if following is not None:
            workflow.send_verify(job_id, following)
        else:
            score_effects(resources.store, datetime.now(UTC))


@shared_task(name=TaskName.DECIDE.value, base=PatientTask)
def decide(decision_id: str) -> None:
    """Make the proposals that the end of a job or a person asks for; the job is over whatever comes of it."""
    with log_about(decision_id=decision_id):
        deciding.decide(current_resources(), decision_id, datetime.now(UTC))


@shared_task(name=TaskName.APPLY.value, base=PatientTask)
def apply(decision_id: str) -> None:
    """Put a decision into force, once, or see what became of it."""
    with log_about(decision_id=decision_id):
        applying.apply(current_resources(), decision_id, datetime.now(UTC))


def advance(job_id: str) -> None:
    """Let the next queues in, of any job whose turn it is, and end this one when it has no more."""
    with _about(job_id, None):
        run_state = current_resources().run_state
        for next_job, queue in fill(run_state):
            workflow.begin_queue(next_job, queue, run_state.readings.upon(next_job, queue))
        for queue in freed_queues(run_state, job_id):
            workflow.send_ingest(job_id, queue)
        if current_resources().lifecycle.finish(job_id, datetime.now(UTC)):
            after_end(current_resources().store, job_id)


@contextmanager
def _about(job_id: str, queue: str | None) -> Iterator[None]:
    """Inside, everything is for the run that the job has now, and every line says for whom it is."""
    run_state = current_resources().run_state
    with run_state.within_run(job_id) as request_id, log_about(job_id=job_id, queue=queue, request_id=request_id):
        describe_span(job=job_id, queue=queue)
        yield


@contextmanager
def _unit(job_id: str, queue: str | None = None) -> Iterator[None]:
    """The smallest unit that an error may take down: the queue, or in `plan` the job.

    A service that is away is waited for: the error goes on to PatientTask, and then the reaper calls again until the deadline,
    whose reason tells what was waited for. A MemoryError must not leave a task's body, it would take the whole worker down.
    What a task says of its job counts for the run in which it began: the job may be cancelled and tried again meanwhile.
    """
    with _about(job_id, queue):
        try:
            yield
            _note_goes_on()
        except ServiceError as error:
            _note_waiting(job_id, lambda: [queue or ""], error)
            raise
        except QueuecastError as error:
            if (details := str(error)) != error.public:  # else the end of queue or job says all
                log.info("the work cannot go on", error=details)
            _fail(job_id, queue, error.public)
        except MemoryError:
            _fail(job_id, queue, str(OutOfMemory()))
        except SoftTimeLimitExceeded:
            _fail(job_id, queue, str(TimeLimitReached()))
        except Exception as error:  # a bug of ours: the traceback is in the log, the people get a reason
            log.exception("internal error")
            _fail(job_id, queue, f"Internal error: {type(error).__name__}; the log has the details")


def _note_waiting(job_id: str, queues: Callable[[], Sequence[str]], error: ServiceError) -> None:
    """Remember what these queues wait for ("" = the plan)."""
    are_new = [True]
    with suppress(BrokerAway):  # then it is the broker that is waited for
        are_new = [current_resources().run_state.note_waiting(job_id, queue, error.public) for queue in queues()]
    (log.warning if any(are_new) else log.debug)("a service is away", error=str(error))


def _note_goes_on() -> None:
    """A task that has waited for a service, and does no more."""
    if current_task and (retries := current_task.request.retries):  # nothing else is tried again
        log.info("the service is back, the work goes on", tries=retries)


def _fail(job_id: str, queue: str | None, reason: str) -> None:
    """End the queue, or the whole job where none is named: what a retry has left of it is then partial."""
    resources = current_resources()
    if queue is not None:
        resources.lifecycle.fail_queue(job_id, queue, reason)
    else:
        resources.lifecycle.end(job_id, reason, datetime.now(UTC))
