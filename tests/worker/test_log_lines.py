"""Every line of a task says for whom it is: job, queue, request, and the candidate that is being tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.config.settings import Settings
from shared.domain.forecasts import Candidate, Failure
from shared.fleet.runstate import RunState
from tests.factories import DEADLINE, JOB, QUEUE
from worker.fleet.tasks import _about
from worker.job.attempts import score_each
from worker.job.resources import Resources, use

PROPHET = Candidate(model="prophet", hyperparameters={"growth": "flat"})


@pytest.fixture(autouse=True)
def _a_running_job(settings: Settings, run_state: RunState) -> Iterator[None]:
    run_state.begin_job(JOB, DEADLINE, "request-7")
    with use(Resources(settings)):
        yield


def test_a_line_names_job_queue_request_and_candidate(run_state: RunState) -> None:
    seen: list[dict[str, Any]] = []

    def evaluate(candidate: Candidate) -> Failure:
        seen.append(structlog.contextvars.get_contextvars())
        return Failure(candidate=candidate, error="Test", reason="as told")

    with _about(JOB, QUEUE):
        score_each(run_state, JOB, QUEUE, [0], candidates=[PROPHET], evaluate=evaluate)
    assert seen == [{"job_id": JOB, "queue": QUEUE, "request_id": "request-7", "model": "prophet growth=flat"}]
    assert structlog.contextvars.get_contextvars() == {}


def test_a_job_that_has_ended_has_no_request(run_state: RunState) -> None:
    run_state.drop_job(JOB)
    with _about(JOB, None):
        assert structlog.contextvars.get_contextvars() == {"job_id": JOB}


def test_the_first_request_of_a_job_stays_its_request(run_state: RunState) -> None:
    run_state.begin_job(JOB, DEADLINE, "another")
    with run_state.within_run(JOB) as request_id:
        assert request_id == "request-7"
