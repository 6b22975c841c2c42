"""Attempts are counted before work starts, so that what kills its process ends; what goes wrong becomes a Failure.

A message may be delivered any number of times. The counter belongs to (job, queue, what) and lives in the run state: three
deaths, and the candidate is a Failure. Services that are away are nobody's failure: a Redis error is raised outside every `try`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from shared.domain.forecasts import Candidate, Failure, Outcome
from shared.errors import ProcessLost, TimeLimitReached
from shared.fleet.runstate import RunState
from shared.telemetry import metrics
from shared.telemetry.logs import log_about
from shared.telemetry.tracing import fail_span, span
from worker.pipeline.score import failure, guarded

MAX_ATTEMPTS = 3

Result = TypeVar("Result")
OnFailure = Callable[[int, Failure], None]  # is told the candidate's index, and what became of it

log = structlog.get_logger(__name__)


@contextmanager
def attempt(run_state: RunState, job_id: str, queue: str, what: str) -> Iterator[int]:
    """Count an attempt that may kill its process; an orderly end, with or without an error, is uncounted.

    Yields its number, 0 when there is nothing to do any more. SystemExit is no orderly end: the process goes with it.
    """
    number = run_state.attempts.begin(job_id, queue, what)
    try:
        yield number
    except Exception:
        run_state.attempts.forgive(job_id, queue, what)
        raise
    if number:
        run_state.attempts.forgive(job_id, queue, what)


def score_each(
    run_state: RunState,
    job_id: str,
    queue: str,
    indices: Iterable[int],
    *,
    candidates: Sequence[Candidate],
    evaluate: Callable[[Candidate], Outcome],
    on_failure: OnFailure = lambda _index, _failure: None,
) -> list[int]:
    """Score candidates one by one, each counted and recorded before the next begins; a crash costs the culprit only.

    Returns the indices that are left when the soft time limit struck: it strikes once per task.
    """
    waiting, number = list(indices), 0
    while waiting:
        index = waiting.pop(0)
        if not (number := number or run_state.attempts.begin(job_id, queue, str(index))):
            continue
        with log_about(model=candidates[index].label):
            outcome = tried(candidates[index], number, partial(evaluate, candidates[index]))
        is_out_of_time = isinstance(outcome, Failure) and outcome.error == TimeLimitReached.__name__
        if waiting and not is_out_of_time:
            number = run_state.attempts.record_and_begin(job_id, queue, index, outcome, then=waiting[0])
        else:
            run_state.attempts.record(job_id, queue, index, outcome)
        _tell(outcome, partial(on_failure, index))
        if is_out_of_time:
            return waiting
    return []


def record_failure(run_state: RunState, job_id: str, queue: str, index: int, error: Exception) -> bool:
    """Record that a candidate failed outside of an attempt of its own; False when the queue has no work any more."""
    work = run_state.work(job_id, queue)
    if work is None:
        return False
    outcome = failure(work.candidates[index], error)
    run_state.attempts.record(job_id, queue, index, outcome)
    _tell(outcome)
    return True


def _tell(outcome: Outcome, on_failure: Callable[[Failure], None] = lambda _failure: None) -> None:
    metrics.candidate_recorded(outcome)
    if isinstance(outcome, Failure):
        on_failure(outcome)
        log.info("candidate failed", candidate=outcome.candidate.label, error=outcome.error, reason=outcome.reason)


def tried(candidate: Candidate, number: int, work: Callable[[], Result]) -> Result | Failure:
    """What the candidate's attempt `number` gives, or its Failure: lost too often, out of time, out of memory, or raised."""
    if number > MAX_ATTEMPTS:
        return failure(candidate, ProcessLost())
    with span("fit", model=candidate.model, candidate=candidate.label, attempt=number):
        outcome = guarded(candidate, work, time_limit=(SoftTimeLimitExceeded,))
        if isinstance(outcome, Failure):
            fail_span(outcome.reason)
    return outcome
