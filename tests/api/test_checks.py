"""POST /v1/jobs/validate: what the API sees by itself, and what it asks a worker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.documents import from_json, to_json
from shared.jobs import JobRequest, Problem, Validation
from shared.lanes import Lanes
from shared.questions import Questions
from shared.runstate import RunState
from shared.settings import Settings
from tests.api.bodies import a_body
from tests.polling import eventually

URL = "/v1/jobs/validate"


def answer_like_a_worker(settings: Settings, verdict: Validation) -> JobRequest:
    """Take the message of the question and answer it."""
    lanes, questions = Lanes.open(settings), Questions.open(settings, is_patient=False)
    task_id = eventually(lambda: next(iter(lanes.look().waiting), None), within=5, what="the question's message")
    question_id = task_id.removesuffix(".check")
    text = questions.question(question_id)
    questions.answer(question_id, to_json(verdict))
    assert text is not None
    found: JobRequest = from_json(JobRequest, text)
    return found


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


def test_without_a_worker_it_says_so(client: FlaskClient, run_state: RunState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.checks.ANSWER_SECONDS", 0.2)
    answer = client.post(URL, json=a_body())
    assert answer.status_code == 503
    assert "No worker answers" in answer.json["detail"]
    assert answer.headers["Retry-After"]
