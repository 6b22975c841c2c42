"""The service against its own document: requests that it allows and that it forbids, none of which may be a fault of ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from hypothesis.strategies import booleans
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.app import create_app
from api.context import EXTENSION, Services
from shared.jobs import JobState, QueueState
from shared.reports import QueueReport
from shared.runstate import RunState
from shared.settings import Settings
from tests.factories import MONDAY, a_forecast, a_job

EXAMPLES = 100  # of each operation and mode: about 15 seconds in all
# No schema can say which connections, time zones and pairs of bounds there are: what it allows may still be refused, politely.
TOO_STRICT = [positive_data_acceptance]
KNOWN = {"job_id": "job-1", "queue": "root.etl"}
OPERATIONS = [
    ("/v1/jobs", "POST"),
    ("/v1/jobs/validate", "POST"),  # what is wrong with a form is its answer, so it is not asked in the negative mode
    ("/v1/jobs", "GET"),
    ("/v1/jobs/{job_id}", "GET"),
    ("/v1/jobs/{job_id}/cancel", "POST"),
    ("/v1/jobs/{job_id}/retry", "POST"),
    ("/v1/jobs/{job_id}/queues/{queue}", "GET"),
    ("/v1/queues", "GET"),
    ("/v1/queues/{queue}/series", "GET"),
    ("/v1/models", "GET"),
    ("/healthz", "GET"),
    ("/readyz", "GET"),
    ("/metrics", "GET"),
    ("/version", "GET"),
]

ASKING = [  # with a body or a query
    ("/v1/jobs", "POST"),
    ("/v1/jobs/{job_id}/cancel", "POST"),
    ("/v1/jobs/{job_id}/retry", "POST"),
    ("/v1/jobs", "GET"),
    ("/v1/queues/{queue}/series", "GET"),
]


@pytest.fixture
def service(run_state: RunState, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseSchema]:
    """The document of a service that knows one job and one forecast, and has no worker to wait for."""
    monkeypatch.setattr("api.checks.ANSWER_SECONDS", 0.0)
    app = create_app(settings)
    services: Services = app.extensions[EXTENSION]
    services.store.add_job(a_job())
    services.store.move_job("job-1", {JobState.QUEUED}, JobState.SUCCEEDED, None, MONDAY)
    services.store.save_forecast(a_forecast())
    services.store.save_report(QueueReport(job_id="job-1", queue="root.etl", state=QueueState.SUCCEEDED))
    yield schemathesis.openapi.from_wsgi("/openapi.json", app)
    services.store.close()
    services.run_state.client.close()


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [(*operation, GenerationMode.POSITIVE) for operation in OPERATIONS]
    + [(*operation, GenerationMode.NEGATIVE) for operation in ASKING],
)
def test_every_answer_is_one_that_the_document_allows(service: BaseSchema, path: str, method: str, mode: GenerationMode) -> None:
    operation = service[path][method]

    @effort(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_known=booleans())
    def answers_are_documented(case: schemathesis.Case, is_known: bool) -> None:
        if is_known:
            case.path_parameters = {name: KNOWN[name] for name in case.path_parameters}
        # Without a worker validate answers 503, as documented; everywhere else that would be a fault.
        case.call_and_validate(excluded_checks=[*TOO_STRICT, *([not_a_server_error] if path.endswith("validate") else [])])

    answers_are_documented()


def test_every_operation_is_tried(service: BaseSchema) -> None:
    assert {(path, method.upper()) for path in service for method in service[path]} == set(OPERATIONS)
