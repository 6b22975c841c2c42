"""The service against its own document: requests that it allows and that it forbids, none of which may be a fault of ours.

Once while it is open, once with a token, and once by a stranger without one.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from hypothesis.strategies import booleans
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.edge.context import EXTENSION, Services
from shared.config.settings import Settings
from shared.domain.jobs import JobState, QueueState
from shared.domain.reports import QueueReport
from shared.fleet.runstate import RunState
from tests.api.calls import described
from tests.api.scene import MakeApp, token_for
from tests.factories import MONDAY, a_forecast, a_job, a_schedule

EXAMPLES = 100  # of each operation and mode: about 15 seconds in all
FEWER = 20  # what a token or its absence changes comes before all of that
# No schema can say which connections, time zones and pairs of bounds there are: what it allows may still be refused, politely.
TOO_STRICT = [positive_data_acceptance]
LIMITS = ("rate_limit", "write_rate_limit", "failure_rate_limit")
LISTS = {"/v1/schedules/apply"}  # of bodies that other operations take one by one, which take long to make up
OPEN = {"/healthz", "/readyz"}
KNOWN = {"job_id": "job-1", "queue": "root.etl", "schedule_id": "s-1"}
SERVED = list(described())
ASKING = [  # with a body or a query; what is wrong with a form is the answer of validate, so it is not asked in this mode
    (method, path)
    for (method, path), operation in described().items()
    if "requestBody" in operation or any(parameter["in"] == "query" for parameter in operation.get("parameters", ()))
    if not path.endswith("validate")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service as its document describes it, and the headers of whoever asks it."""

    document: BaseSchema
    headers: dict[str, str]
    examples: int
    status: int | None = None


@pytest.fixture
def service(
    run_state: RunState, settings: Settings, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Service:
    """A service that knows one job and one forecast, and has no worker to wait for; open, unless a parameter says who asks."""
    monkeypatch.setattr("api.v1.worker_questions.ANSWER_SECONDS", 0.0)
    app = make_app(settings.model_copy(update=dict.fromkeys(LIMITS, "off")))
    answer = app.wsgi_app
    monkeypatch.setattr(app, "wsgi_app", lambda environ, start: answer({"REMOTE_ADDR": "127.0.0.1", **environ}, start))
    services: Services = app.extensions[EXTENSION]
    services.store.jobs.add(a_job())
    services.store.jobs.move("job-1", {JobState.QUEUED}, JobState.SUCCEEDED, None, MONDAY)
    services.store.forecasts.save(a_forecast())
    services.store.schedules.add(a_schedule())
    services.store.reports.save(QueueReport(job_id="job-1", queue="root.etl", state=QueueState.SUCCEEDED))
    document = schemathesis.openapi.from_wsgi("/openapi.json", app)
    return _asked_by(getattr(request, "param", "anybody here"), document, app)


def _asked_by(who: str, document: BaseSchema, app: Flask) -> Service:
    if who == "anybody here":
        return Service(document=document, headers={}, examples=EXAMPLES)
    headers = token_for(app)
    if who == "a stranger":
        return Service(document=document, headers={}, examples=FEWER, status=401)
    return Service(document=document, headers=headers, examples=FEWER)


def _tried(service: Service, path: str, method: str, mode: GenerationMode) -> None:
    operation = service.document[path][method]

    @effort(
        max_examples=max(1, service.examples // 3) if path in LISTS else service.examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_known=booleans())
    def answers_are_documented(case: schemathesis.Case, is_known: bool) -> None:
        if is_known:
            case.path_parameters = case.path_parameters | {name: KNOWN[name] for name in case.path_parameters if name in KNOWN}
        # Without a worker validate answers 503, as documented; everywhere else that would be a fault.
        excluded = [*TOO_STRICT, *([not_a_server_error] if path.endswith("validate") else [])]
        headers = {**service.headers, "Accept-Encoding": "identity"}  # what asks here says that it takes gzip, and cannot read it
        answer = case.call_and_validate(headers=headers, excluded_checks=excluded)
        assert service.status in {None, answer.status_code} or path in OPEN

    answers_are_documented()


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [(*operation, GenerationMode.POSITIVE) for operation in SERVED]
    + [(*operation, GenerationMode.NEGATIVE) for operation in ASKING],
)
def test_every_answer_is_one_that_the_document_allows(service: Service, path: str, method: str, mode: GenerationMode) -> None:
    _tried(service, path, method, mode)


@pytest.mark.parametrize("service", ["whoever has a token", "a stranger"], indirect=True)
@pytest.mark.parametrize(("method", "path"), SERVED)
def test_so_it_is_with_a_token_and_without(service: Service, path: str, method: str) -> None:
    _tried(service, path, method, GenerationMode.POSITIVE)
