"""Attempts, what goes wrong inside one and for whom its log lines are, on a real run state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import structlog
from celery.exceptions import SoftTimeLimitExceeded

from shared.config.settings import Settings
from shared.domain.forecasts import Candidate, Failure, Outcome
from shared.errors import BadForecast
from shared.fleet.runstate import RunState
from tests.factories import DEADLINE, JOB, QUEUE
from worker.fleet.tasks import _about
from worker.job.attempts import attempt, score_each
from worker.job.resources import Resources, use

CANDIDATES = tuple(Candidate(model="test", hyperparameters={"n": n}) for n in range(3))


@pytest.fixture(autouse=True)
def _a_running_job(settings: Settings, run_state: RunState) -> Iterator[None]:
    run_state.begin_job(JOB, DEADLINE, "request-7")
    with use(Resources(settings)):
        yield


def raising(error: BaseException) -> Callable[[], Any]:
    def work() -> Any:
        raise error

    return work


def scored(run_state: RunState, indices: Iterable[int], evaluate: Callable[[Candidate], Outcome]) -> list[int]:
    return score_each(run_state, JOB, QUEUE, indices, candidates=CANDIDATES, evaluate=evaluate)


def an_outcome(candidate: Candidate) -> Outcome:
    return Failure(candidate=candidate, error="Test", reason="as told")


def test_the_fourth_attempt_is_not_begun(run_state: RunState) -> None:
    for _ in range(3):
        run_state.attempts.begin(JOB, QUEUE, "0")
    ran: list[Candidate] = []
    scored(run_state, [0], lambda candidate: ran.append(candidate) or an_outcome(candidate))
    outcome = run_state.attempts.outcomes(JOB, QUEUE)[0]
    assert ran == []
    assert isinstance(outcome, Failure)
    assert outcome.error == "ProcessLost"


def test_one_failing_candidate_does_not_stop_the_others(run_state: RunState) -> None:
    def evaluate(candidate: Candidate) -> Outcome:
        return an_outcome(candidate) if candidate.hyperparameters["n"] else raising(MemoryError())()

    assert scored(run_state, range(3), evaluate) == []
    errors = [outcome.error for outcome in run_state.attempts.outcomes(JOB, QUEUE).values() if isinstance(outcome, Failure)]
    assert errors == ["OutOfMemory", "Test", "Test"]


def test_after_a_time_limit_the_rest_of_the_block_is_handed_back(run_state: RunState) -> None:
    left = scored(run_state, range(3), lambda _: raising(SoftTimeLimitExceeded())())
    assert left == [1, 2]
    errors = {index: getattr(outcome, "error", None) for index, outcome in run_state.attempts.outcomes(JOB, QUEUE).items()}
    assert errors == {0: "TimeLimitReached"}


def test_candidates_that_have_an_outcome_are_not_scored_again(run_state: RunState) -> None:
    run_state.attempts.record(JOB, QUEUE, 1, an_outcome(CANDIDATES[1]))
    ran: list[object] = []

    def evaluate(candidate: Candidate) -> Outcome:
        ran.append(candidate.hyperparameters["n"])
        return an_outcome(candidate)

    scored(run_state, range(3), evaluate)
    assert ran == [0, 2]


def test_an_attempt_with_an_orderly_end_is_uncounted(run_state: RunState) -> None:
    with attempt(run_state, JOB, QUEUE, "ingest") as first:
        pass
    with pytest.raises(BadForecast), attempt(run_state, JOB, QUEUE, "ingest"):
        raise BadForecast
    with attempt(run_state, JOB, QUEUE, "ingest") as third:
        pass
    assert (first, third) == (1, 1)


def test_a_process_that_ends_in_an_attempt_stays_counted(run_state: RunState) -> None:
    with pytest.raises(SystemExit), attempt(run_state, JOB, QUEUE, "ingest"):
        raise SystemExit
    with attempt(run_state, JOB, QUEUE, "ingest") as number:
        pass
    assert number == 2


def test_every_line_says_for_which_job_queue_request_and_candidate_it_is(run_state: RunState) -> None:
    seen: list[dict[str, Any]] = []

    def evaluate(candidate: Candidate) -> Outcome:
        seen.append(structlog.contextvars.get_contextvars())
        return an_outcome(candidate)

    with _about(JOB, QUEUE):
        scored(run_state, [0], evaluate)
    assert seen == [{"job_id": JOB, "queue": QUEUE, "request_id": "request-7", "model": "test n=0"}]
    assert structlog.contextvars.get_contextvars() == {}


def test_the_first_request_of_a_job_stays_its_request_until_the_job_has_ended(run_state: RunState) -> None:
    run_state.begin_job(JOB, DEADLINE, "another")
    with run_state.within_run(JOB) as request_id:
        assert request_id == "request-7"
    run_state.drop_job(JOB)
    with _about(JOB, None):
        assert structlog.contextvars.get_contextvars() == {"job_id": JOB}
