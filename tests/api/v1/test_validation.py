"""POST /v1/jobs/validate: what the API sees by itself, and what it asks a worker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.config.settings import Settings
from shared.domain.codec import from_json, to_json
from shared.domain.jobs import JobRequest, Problem, Validation
from shared.domain.lanes import Lane
from shared.fleet.lanes import Lanes
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import LivingWorker
from tests.api.bodies import a_body
from tests.polling import eventually

URL = "/v1/jobs/validate"


def answer_like_a_worker(settings: Settings, verdict: Validation) -> JobRequest:
    """Take the message of the question and answer it."""
    lanes, questions = Lanes.open(settings), RunState.open(settings, is_patient=False).questions
    task_id = eventually(lambda: next(iter(lanes.look().waiting), None), what="the question's message")
    question_id = task_id.removesuffix(".check")
    text = questions.question(question_id)
    questions.answer(question_id, to_json(verdict))
    assert text is not None
    request: JobRequest = from_json(JobRequest, text)
    return request


def test_what_a_worker_finds_is_told(client: FlaskClient, settings: Settings, run_state: RunState) -> None:
    verdict = Validation(problems=(Problem(field="data.source", message="not found"),), warnings=("little history",))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(answer_like_a_worker, settings, verdict)
        answer = client.post(URL, json=a_body("job_name", "Trial"))
        assert asked.result().job_name == "Trial"
    assert answer.status_code == 200
    assert answer.json == {
        "valid": False,
        "problems": [{"loc": ["data", "source"], "msg": "not found"}],
        "warnings": ["little history"],
    }


def test_nothing_is_started(client: FlaskClient, settings: Settings, run_state: RunState) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(answer_like_a_worker, settings, Validation())
        assert client.post(URL, json=a_body()).json["valid"]
    assert client.get("/v1/jobs").json["jobs"] == []
    assert run_state.active() == set()


@pytest.mark.parametrize(
    ("field", "value", "loc"),
    [
        ("interval", 7, ["interval"]),
        ("data.source.colection", "x", ["data", "source", "colection"]),
        ("data.source.name", "postgres", ["data", "source", "name"]),
    ],
)
def test_what_is_wrong_with_the_form_or_the_connection_needs_no_worker(
    client: FlaskClient, run_state: RunState, field: str, value: Any, loc: list[str]
) -> None:
    answer = client.post(URL, json=a_body(field, value))
    assert answer.status_code == 200
    assert not answer.json["valid"]
    assert loc in [problem["loc"] for problem in answer.json["problems"]]


@pytest.mark.parametrize("lanes", [(), ("heavy",)])
def test_without_a_worker_that_answers_questions_it_says_so(
    client: FlaskClient, run_state: RunState, monkeypatch: pytest.MonkeyPatch, lanes: tuple[str, ...]
) -> None:
    monkeypatch.setattr("api.v1.validation.ANSWER_SECONDS", 0.2)
    if lanes:
        run_state.members.announce(LivingWorker(worker_id="a", lanes=lanes, slots=1))
    answer = client.post(URL, json=a_body())
    assert answer.status_code == 503
    assert answer.json["title"] == "No worker answers"
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("lane", [Lane.CHECK, Lane.PLAN])  # where workers of this release look, and of the one before
def test_workers_that_live_and_have_no_time_are_said_to_be_busy(
    client: FlaskClient, settings: Settings, run_state: RunState, monkeypatch: pytest.MonkeyPatch, lane: Lane
) -> None:
    monkeypatch.setattr("api.v1.validation.ANSWER_SECONDS", 0.2)
    run_state.members.announce(LivingWorker(worker_id="a", lanes=("select", lane.value, "score"), slots=1))
    answer = client.post(URL, json=a_body())
    assert answer.status_code == 503
    assert answer.json["title"] == "All workers are busy"
    assert answer.headers["Retry-After"]
    assert set(Lanes.open(settings).look().waiting.values()) == {lane.value}
