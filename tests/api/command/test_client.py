"""The client against a real HTTP server: small ones that answer as told, and the service itself."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.wrappers import Request, Response

from api.command.client import Client, Document
from api.edge.context import EXTENSION, Services
from shared.config.settings import Settings
from shared.domain.jobs import JobState
from shared.domain.tokens import Scope, make_token
from shared.errors import (
    AccessError,
    ApiAway,
    Conflict,
    InvalidRequest,
    JobNotFound,
    MalformedRequest,
    NotAuthenticated,
    NotFound,
    QueuecastError,
    QueueNotFound,
    ScopeMissing,
    StoreAway,
    TooManyRequests,
    UnknownModel,
)
from shared.fleet.runstate import RunState
from tests.api.bodies import a_body
from tests.api.serving import serving
from tests.factories import MONDAY, a_forecast, a_job

Answering = Callable[[Request], Response]


@pytest.fixture
def answer() -> Iterator[Callable[[Answering], Client]]:
    """Makes clients of a service that answers as told."""
    open_servers = []

    def make(how: Answering) -> Client:
        server = serving(Request.application(how))
        open_servers.append(server)
        return Client(server.__enter__(), patience_seconds=2.0)

    yield make
    for server in open_servers:
        server.__exit__(None, None, None)


@pytest.fixture
def service(run_state: RunState, settings: Settings, make_app: Callable[[Settings], Flask]) -> Iterator[tuple[Client, Services]]:
    """A client of the real service, and what stands behind that."""
    app = make_app(settings)
    with serving(app) as url:
        yield Client(url), app.extensions[EXTENSION]


def as_json(document: Any, status: int = 200) -> Response:
    """An answer with this document."""
    return Response(json.dumps(document), status, mimetype="application/json")


def a_problem(status: int, **members: Any) -> Response:
    """An answer as RFC 9457 has it."""
    return Response(json.dumps({"status": status, **members}), status, mimetype="application/problem+json")


def echo(request: Request) -> Response:
    """What was asked, as an answer."""
    asked = {"method": request.method, "uri": request.environ["REQUEST_URI"], "body": request.get_data(as_text=True)}
    return as_json(asked | {"type": request.mimetype})


EVERY_QUESTION: dict[str, Callable[[Client], Document]] = {
    "/v1/jobs/a%2Fb": lambda client: client.job("a/b"),
    "/v1/jobs": lambda client: client.jobs(),
    "/v1/jobs?state=failed&project=a+b": lambda client: client.jobs(state=JobState.FAILED, owner=None, project="a b"),
    "/v1/jobs/j/queues": lambda client: client.outlooks("j"),
    "/v1/jobs/j/queues/root.a%2Fb%20%3F": lambda client: client.queue_report("j", "root.a/b ?"),
    "/v1/queues": lambda client: client.queues(),
    "/v1/queues/%C3%BC/series?issued_at=2026-01-05T00%3A00%2B01%3A00": lambda client: client.series(
        "ü", issued_at="2026-01-05T00:00+01:00"
    ),
    "/v1/models": lambda client: client.models(),
}


@pytest.mark.parametrize("uri", EVERY_QUESTION)
def test_every_question_has_its_address(answer: Callable[[Answering], Client], uri: str) -> None:
    asked = EVERY_QUESTION[uri](answer(echo))
    assert (asked["method"], asked["uri"]) == ("GET", uri)


def test_a_request_is_sent_as_it_stands(answer: Callable[[Answering], Client]) -> None:
    assert answer(echo).submit(b'{"a" : 1}') == {
        "method": "POST",
        "uri": "/v1/jobs",
        "body": '{"a" : 1}',
        "type": "application/json",
    }


@pytest.mark.parametrize(
    ("command", "uri", "body"),
    [
        (lambda client: client.cancel("a/b"), "/v1/jobs/a%2Fb/cancel", ""),
        (lambda client: client.retry("a/b"), "/v1/jobs/a%2Fb/retry", '{"queues": "failed"}'),
        (lambda client: client.retry("j", queues="all"), "/v1/jobs/j/retry", '{"queues": "all"}'),
    ],
)
def test_a_command_is_posted(
    answer: Callable[[Answering], Client], command: Callable[[Client], Document], uri: str, body: str
) -> None:
    asked = command(answer(echo))
    assert (asked["method"], asked["uri"], asked["body"]) == ("POST", uri, body)


def test_a_path_before_the_version_is_kept(answer: Callable[[Answering], Client]) -> None:
    assert Client(answer(echo).base_url + "/queuecast/").models()["uri"] == "/queuecast/v1/models"


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (422, "urn:queuecast:unknown-model", UnknownModel),
        (404, "urn:queuecast:job-not-found", JobNotFound),
        (503, "urn:queuecast:store-away", StoreAway),
        (422, "urn:queuecast:of-a-later-release", InvalidRequest),
        (400, "about:blank", MalformedRequest),
        (401, "about:blank", NotAuthenticated),
        (404, "about:blank", NotFound),
        (409, "about:blank", Conflict),
        (413, "about:blank", InvalidRequest),
        (403, "about:blank", AccessError),
        (429, "about:blank", TooManyRequests),
        (500, "about:blank", QueuecastError),
        (503, "about:blank", ApiAway),
    ],
)
def test_a_problem_becomes_the_error_that_it_tells(
    answer: Callable[[Answering], Client], status: int, kind: str, error: type[QueuecastError]
) -> None:
    client = answer(lambda _: a_problem(status, type=kind, detail="what was found"))
    with pytest.raises(error) as raised:
        client.models()
    assert type(raised.value) is error
    assert raised.value.detail == "what was found"


@pytest.mark.parametrize("ids", [{}, {"field": "model"}])
def test_the_headline_of_an_error_is_not_said_twice(answer: Callable[[Answering], Client], ids: dict[str, str]) -> None:
    told = UnknownModel("found 'x', known are prophet", **ids)
    client = answer(lambda _: a_problem(422, type="urn:queuecast:unknown-model", detail=str(told)))
    with pytest.raises(UnknownModel) as raised:
        client.models()
    assert str(raised.value) == str(told)


@pytest.mark.parametrize(
    "other",
    [
        lambda _: Response("<h1>It works!</h1>", mimetype="text/html"),
        lambda _: Response("<h1>Bad gateway</h1>", 502, mimetype="text/html"),
        lambda _: as_json(["a", "list"]),
        lambda _: Response("", 301, headers={"Location": "/elsewhere"}),
        lambda _: Response(b"\xff\xfe{}"),
    ],
    ids=["a page", "a gateway", "a list", "a redirect", "bytes"],
)
def test_whatever_else_answers_is_no_service(answer: Callable[[Answering], Client], other: Answering) -> None:
    with pytest.raises(ApiAway):
        answer(other).models()


def test_nobody_there_is_said_at_once_and_with_a_hint() -> None:
    with pytest.raises(ApiAway, match="queuecast up"):
        Client("http://127.0.0.1:1").models()


def test_a_service_that_accepts_and_never_answers_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ApiAway):
        Client(f"http://127.0.0.1:{silent.getsockname()[1]}", patience_seconds=0.2).models()


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://host", "http://", "", "http://[::1", "http://host:port"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="accepted is http://host:port"):
        Client(url)


def ending_after(*answers: Response) -> Answering:
    """Answers one after the other, the last one for ever."""
    left = list(answers)
    lock = threading.Lock()

    def how(_: Request) -> Response:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return how


def a_document(state: str) -> Response:
    """A job in this state."""
    return as_json({"job_id": "job-1", "state": state})


@pytest.mark.parametrize("end", ["succeeded", "partial", "failed", "cancelled"])
def test_waiting_ends_with_the_job_and_tells_its_progress(answer: Callable[[Answering], Client], end: str) -> None:
    client = answer(ending_after(a_document("queued"), a_document("running"), a_document(end)))
    seen: list[str] = []
    assert client.wait("job-1", 10, lambda job: seen.append(job["state"]))["state"] == end
    assert seen == ["queued", "running", end]


def test_waiting_outlives_a_service_that_is_started_again(answer: Callable[[Answering], Client]) -> None:
    client = answer(ending_after(a_document("running"), a_problem(503), a_problem(503), a_document("succeeded")))
    assert client.wait("job-1", 10)["state"] == "succeeded"


def test_waiting_does_not_begin_at_a_service_that_is_away(answer: Callable[[Answering], Client]) -> None:
    with pytest.raises(ApiAway):
        answer(lambda _: a_problem(503)).wait("job-1", 10)


def test_waiting_ends_after_its_time_and_says_how_to_go_on(answer: Callable[[Answering], Client]) -> None:
    with pytest.raises(TimeoutError, match="queuecast jobs watch job-1"):
        answer(lambda _: a_document("running")).wait("job-1", 0.3)


def test_the_service_takes_a_job_and_shows_it(service: tuple[Client, Services]) -> None:
    client, _ = service
    accepted = client.submit(json.dumps(a_body()))
    assert accepted["state"] == "queued"
    assert client.job(accepted["job_id"])["job_name"] == "Resource Forecasting"
    assert [job["job_id"] for job in client.jobs(limit=1)["jobs"]] == [accepted["job_id"]]
    assert client.jobs(state="failed")["jobs"] == []


def test_the_service_says_what_is_wrong_with_a_request(service: tuple[Client, Services]) -> None:
    client, _ = service
    with pytest.raises(InvalidRequest, match="aggregation_time_period"):
        client.submit(json.dumps(a_body("aggregation_time_period", "1m")))
    with pytest.raises(MalformedRequest, match="not JSON"):
        client.submit("{")
    with pytest.raises(JobNotFound, match="nowhere"):
        client.job("nowhere")
    with pytest.raises(QueueNotFound):
        client.series("nowhere")


def test_the_service_shows_queues_their_series_and_the_models(service: tuple[Client, Services]) -> None:
    client, services = service
    services.store.jobs.add(a_job())
    services.store.forecasts.save(a_forecast(queue="root/a b"))
    assert [queue["queue"] for queue in client.queues()["queues"]] == ["root/a b"]
    series = client.series("root/a b", issued_at=MONDAY.isoformat(), **{"from": (MONDAY - timedelta(days=1)).isoformat()})
    assert [point["prediction"] for point in series["points"]] == [50.0, 60.0, 55.0]
    assert client.models()["models"] == []


def test_a_token_is_sent_with_every_question(service: tuple[Client, Services]) -> None:
    client, services = service
    token, secret = make_token(name="ci", scope=Scope.READ, created_at=datetime.now(UTC))
    services.store.tokens.add(token)
    assert Client(client.base_url, token=secret).jobs()["jobs"] == []
    with pytest.raises(NotAuthenticated):
        client.jobs()
    with pytest.raises(ScopeMissing):
        Client(client.base_url, token=secret).cancel("job-1")


def test_a_wait_goes_on_when_the_service_wants_fewer_questions(answer: Callable[[Answering], Client]) -> None:
    refusal = a_problem(429, type="urn:queuecast:too-many-requests", detail="slow down")
    told = iter([as_json({"state": "queued"}), refusal, as_json({"state": "succeeded"})])
    assert answer(lambda _: next(told)).wait("job-1", 10)["state"] == "succeeded"


def test_of_many_problems_as_many_are_told_as_fit_on_a_screen(answer: Callable[[Answering], Client]) -> None:
    errors = [{"loc": ["queues", number], "msg": "no text"} for number in range(99)] + [
        {"loc": [], "msg": "and 901 more problems"}
    ]
    client = answer(lambda _: a_problem(422, type="urn:queuecast:invalid-request", detail="the first", errors=errors))
    with pytest.raises(InvalidRequest) as raised:
        client.submit("{}")
    told = raised.value.detail.split("; ")
    assert told == [f"queues.{number}: no text" for number in range(20)] + ["and 980 more problems"]


def test_few_problems_are_told_whole(answer: Callable[[Answering], Client]) -> None:
    errors = [{"loc": ["a"], "msg": "x"}, {"loc": [], "msg": "y"}]
    client = answer(lambda _: a_problem(422, type="urn:queuecast:invalid-request", detail="the first", errors=errors))
    with pytest.raises(InvalidRequest, match=r"a: x; y$"):
        client.submit("{}")
