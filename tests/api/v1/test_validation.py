"""POST /v1/jobs/validate: what the API sees by itself, and what it asks a worker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.config.settings import Settings
from shared.domain.codec import from_json, to_json
from shared.domain.jobs import JobRequest
from shared.domain.lanes import Lane
from shared.domain.validation import Problem, Validation
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


POOR = Validation(problems=(Problem(field="data.source", message="not found"),), warnings=("little history",))


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (POOR, {"valid": False, "problems": [{"loc": ["data", "source"], "msg": "not found"}], "warnings": ["little history"]}),
        (Validation(), {"valid": True, "problems": [], "warnings": []}),
    ],
    ids=["poor", "good"],
)
def test_what_a_worker_finds_is_told_and_nothing_is_started(
    client: FlaskClient, settings: Settings, run_state: RunState, verdict: Validation, told: dict[str, Any]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(answer_like_a_worker, settings, verdict)
        answer = client.post(URL, json=a_body("job_name", "Trial"))
        assert asked.result().job_name == "Trial"
    assert (answer.status_code, answer.json) == (200, told)
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


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than a worker needs."""
    monkeypatch.setattr("api.v1.worker_questions.ANSWER_SECONDS", 0.2)


AWAY, BUSY = "No worker answers", "All workers are busy"


@pytest.mark.parametrize(
    ("lanes", "title", "lane"),  # the lane where workers of this release look, and those of the one before
    [
        ("", AWAY, Lane.CHECK),
        ("heavy", AWAY, Lane.CHECK),
        ("select,check,score", BUSY, Lane.CHECK),
        ("select,plan,score", BUSY, Lane.PLAN),
    ],
)
def test_workers_that_are_away_or_have_no_time_are_said_to_be(  # noqa: PLR0917 - a table's columns
    client: FlaskClient, settings: Settings, run_state: RunState, patience: None, lanes: str, title: str, lane: Lane
) -> None:
    if lanes:
        run_state.members.announce(LivingWorker(worker_id="a", lanes=tuple(lanes.split(",")), slots=1))
    answer = client.post(URL, json=a_body())
    assert (answer.status_code, answer.json["title"], "Retry-After" in answer.headers) == (503, title, True)
    assert set(Lanes.open(settings).look().waiting.values()) == {lane.value}
