"""Every error has one answer, and a fault of ours tells nothing of itself but in the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from api.edge.policy import PROBE
from api.edge.problems import MEDIA_TYPE
from api.edge.routing import route
from shared import errors
from shared.config.settings import Settings
from tests.api.scene import MakeApp

STATUS = {
    errors.MalformedRequest: 400,
    errors.JobNotFound: 404,
    errors.QueueNotFound: 404,
    errors.StateForbids: 409,
    errors.AllowanceUsedUp: 429,
    errors.InvalidRequest: 422,
    errors.KeyReused: 422,
    errors.UnknownModel: 422,
    errors.StoreAway: 503,
    errors.BrokerAway: 503,
    errors.InvalidSettings: 500,
    errors.UndefinedScore: 500,
    ZeroDivisionError: 500,
}


@pytest.fixture
def answer_to(make_app: MakeApp, settings: Settings) -> Callable[[Exception], TestResponse]:
    """What a service answers at an address where this error is raised."""

    def answer(error: Exception) -> TestResponse:
        app = make_app(settings)

        @app.get("/fails")
        @route("GET", "/fails", PROBE)
        def fail() -> None:
            raise error

        return app.test_client().get("/fails")

    return answer


@pytest.mark.parametrize("kind", STATUS)
def test_an_error_is_answered_by_its_family(answer_to: Callable[[Exception], TestResponse], kind: type[Exception]) -> None:
    with capture_logs() as lines:
        answer = answer_to(kind("found something"))
    status = STATUS[kind]
    assert (answer.status_code, answer.mimetype) == (status, MEDIA_TYPE)
    assert (answer.json["status"], answer.json["instance"]) == (status, "/fails")
    assert ("Retry-After" in answer.headers) == (status in {429, 503})
    assert ("found something" in answer.text) == (status not in {500, 503})
    assert "Traceback" not in answer.text
    assert ("found something" in str(lines)) == (status in {500, 503})
    assert [line["log_level"] for line in lines if "counted" not in line["event"]] == {500: ["error"], 503: ["warning"]}.get(
        status, []
    )


def test_a_problem_names_its_kind_for_programs_and_for_people(answer_to: Callable[[Exception], TestResponse]) -> None:
    message = "The model has no such hyperparameter (model prophet): found 'depth', known are growth"
    assert answer_to(errors.UnknownHyperparameter("found 'depth', known are growth", model="prophet")).json == {
        "type": "urn:queuecast:unknown-hyperparameter",
        "title": "The model has no such hyperparameter",
        "status": 422,
        "detail": message,
        "instance": "/fails",
        "errors": [{"loc": ["hyperparameters"], "msg": message}],
    }


@pytest.mark.parametrize("kind", [errors.WorkersAway, errors.WorkersBusy])
def test_what_we_say_of_our_workers_is_told(answer_to: Callable[[Exception], TestResponse], kind: type[Exception]) -> None:
    assert "none in 5 s" in answer_to(kind("none in 5 s")).json["detail"]
