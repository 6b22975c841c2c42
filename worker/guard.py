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

from shared import metrics
from shared.errors import OutOfMemory, ProcessLost, QueuecastError, TimeLimitReached
from shared.forecasts import Candidate, Failure, Outcome
from shared.logs import log_about
from worker.resources import resources

MAX_ATTEMPTS = 3
FROM_OUTSIDE: tuple[type[Exception], ...] = (SoftTimeLimitExceeded,)  # strikes inside a model and is not of its making

Result = TypeVar("Result")

log = structlog.get_logger(__name__)


def failure(candidate: Candidate, error: Exception) -> Failure:
    """A candidate's failure as it stands on the leaderboard."""
    reason = error.public if isinstance(error, QueuecastError) else f"{type(error).__name__}: {error}"
    return Failure(candidate=candidate, error=type(error).__name__, reason=reason)


@contextmanager
def attempt(job_id: str, queue: str, what: str) -> Iterator[int]:
    """Count an attempt that may kill its process; an orderly end, with or without an error, is uncounted.

    Yields its number, 0 when there is nothing to do any more. SystemExit is no orderly end: the process goes with it.
    """
    here = resources()
    number = here.run_state.begin(job_id, queue, what)
    try:
        yield number
    except Exception:
        here.run_state.forgive(job_id, queue, what)
        raise
    if number:
        here.run_state.forgive(job_id, queue, what)


def score_each(
    job_id: str,
    queue: str,
    indices: Iterable[int],
    *,
    candidates: Sequence[Candidate],
    evaluate: Callable[[Candidate], Outcome],
) -> list[int]:
    """Score candidates one by one, each counted and recorded before the next begins; a crash costs the culprit only.

    Returns the indices that are left when the soft time limit struck: it strikes once per task.
    """
    run_state, waiting = resources().run_state, list(indices)
    number = 0
    while waiting:
        index = waiting.pop(0)
        number = number or run_state.begin(job_id, queue, str(index))
        if not number:
            continue
        with log_about(model=candidates[index].label):
            outcome = tried(candidates[index], number, partial(evaluate, candidates[index]))
        is_out_of_time = isinstance(outcome, Failure) and outcome.error == TimeLimitReached.__name__
        if waiting and not is_out_of_time:
            number = run_state.record_and_begin(job_id, queue, index, outcome, then=waiting[0])
        else:
            run_state.record(job_id, queue, index, outcome)
        _tell(outcome)
        if is_out_of_time:
            return waiting
    return []


def _tell(outcome: Outcome) -> None:
    metrics.candidate_recorded(outcome)
    if isinstance(outcome, Failure):
        log.info("candidate failed", candidate=outcome.candidate.label, error=outcome.error, reason=outcome.reason)


def tried(candidate: Candidate, number: int, work: Callable[[], Result]) -> Result | Failure:
    """What the candidate's attempt `number` gives, or its Failure: lost too often, out of time, out of memory, or raised."""
    if number > MAX_ATTEMPTS:
        return failure(candidate, ProcessLost())
    try:
        return work()
    except SoftTimeLimitExceeded:
        return failure(candidate, TimeLimitReached())
    except MemoryError:  # leaving a task's body it would take the whole worker down
        return failure(candidate, OutOfMemory())
    except Exception as error:  # noqa: BLE001 - whatever a library raises is the candidate's failure and nobody else's
        return failure(candidate, error)
