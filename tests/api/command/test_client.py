"""The client against real HTTP servers that answer as told; against the service itself: test_remote.py."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from api.command.client import Client
from shared.domain.codec import Document
from shared.domain.jobs import JobState
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
    StoreAway,
    TooManyRequests,
    UnknownModel,
)
from tests.api.serving import serving

Answering = Callable[[Request], Response]
Making = Callable[[Answering], Client]


@pytest.fixture
def answer() -> Iterator[Making]:
    """Makes clients of a service that answers as told."""
    open_servers = []

    def make(how: Answering) -> Client:
        server = serving(Request.application(how))
        open_servers.append(server)
        return Client(server.__enter__(), patience_seconds=2.0)

    yield make
    for server in open_servers:
        server.__exit__(None, None, None)


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


@pytest.mark.parametrize(
    ("ask", "method", "uri", "body"),
    [
        (lambda client: client.get("jobs"), "GET", "/v1/jobs", ""),
        (lambda client: client.get("jobs", state=JobState.FAILED, owner=None), "GET", "/v1/jobs?state=failed", ""),
        (lambda client: client.get("jobs", "a/b", at="1+1 h"), "GET", "/v1/jobs/a%2Fb?at=1%2B1+h", ""),
        (lambda client: client.get("queues", "root.ü ?", "series"), "GET", "/v1/queues/root.%C3%BC%20%3F/series", ""),
        (lambda client: client.post("jobs", "a/b", "cancel"), "POST", "/v1/jobs/a%2Fb/cancel", ""),
        (lambda client: client.post("jobs", body=b'{"a" : 1}'), "POST", "/v1/jobs", '{"a" : 1}'),
        (lambda client: client.post("jobs", body={"a": 1}), "POST", "/v1/jobs", '{"a": 1}'),
    ],
)
def test_every_call_has_its_address_and_is_sent_as_it_stands(
    answer: Making, ask: Callable[[Client], Document], method: str, uri: str, body: str
) -> None:
    mimetype = "application/json" if body else ""
    assert ask(answer(echo)) == {"method": method, "uri": uri, "body": body, "type": mimetype}


def test_a_path_before_the_version_is_kept(answer: Making) -> None:
    assert Client(answer(echo).base_url + "/queuecast/").get("models")["uri"] == "/queuecast/v1/models"


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
def test_a_problem_becomes_the_error_that_it_tells(answer: Making, status: int, kind: str, error: type[QueuecastError]) -> None:
    client = answer(lambda _: a_problem(status, type=kind, detail="what was found"))
    with pytest.raises(error) as raised:
        client.get("models")
    assert type(raised.value) is error
    assert raised.value.detail == "what was found"


@pytest.mark.parametrize("ids", [{}, {"field": "model"}])
def test_the_headline_of_an_error_is_not_said_twice(answer: Making, ids: dict[str, str]) -> None:
    error = UnknownModel("found 'x', known are prophet", **ids)
    client = answer(lambda _: a_problem(422, type="urn:queuecast:unknown-model", detail=str(error)))
    with pytest.raises(UnknownModel) as raised:
        client.get("models")
    assert str(raised.value) == str(error)


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
def test_whatever_else_answers_is_no_service(answer: Making, other: Answering) -> None:
    with pytest.raises(ApiAway):
        answer(other).get("models")


def test_nobody_there_is_said_at_once_and_with_a_hint() -> None:
    with pytest.raises(ApiAway, match="queuecast up"):
        Client("http://127.0.0.1:1").get("models")


def test_a_service_that_accepts_and_never_answers_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ApiAway):
        Client(f"http://127.0.0.1:{silent.getsockname()[1]}", patience_seconds=0.2).get("models")


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
def test_waiting_ends_with_the_job_and_tells_its_progress(answer: Making, end: str) -> None:
    client = answer(ending_after(a_document("queued"), a_document("running"), a_document(end)))
    seen: list[str] = []
    assert client.wait("job-1", 10, lambda job: seen.append(job["state"]))["state"] == end
    assert seen == ["queued", "running", end]


def test_what_has_not_changed_is_not_sent_again(answer: Making) -> None:
    asked: list[str | None] = []

    def how(request: Request) -> Response:
        asked.append(request.headers.get("If-None-Match"))
        state = "running" if len(asked) < 4 else "succeeded"
        told = a_document(state)
        told.add_etag()
        return told.make_conditional(request)

    seen: list[str] = []
    assert answer(how).wait("job-1", 10, lambda job: seen.append(job["state"]))["state"] == "succeeded"
    assert seen == ["running", "running", "running", "succeeded"]
    assert asked[0] is None
    assert len(set(asked[1:])) == 1


@pytest.mark.parametrize("status", [503, 429])
def test_waiting_outlives_a_service_that_is_started_again_or_wants_fewer_requests(answer: Making, status: int) -> None:
    client = answer(ending_after(a_document("running"), a_problem(status), a_problem(status), a_document("succeeded")))
    assert client.wait("job-1", 10)["state"] == "succeeded"


def test_waiting_does_not_begin_at_a_service_that_is_away(answer: Making) -> None:
    with pytest.raises(ApiAway):
        answer(lambda _: a_problem(503)).wait("job-1", 10)


def test_waiting_ends_after_its_time_and_says_how_to_go_on(answer: Making) -> None:
    with pytest.raises(TimeoutError, match="queuecast jobs watch job-1"):
        answer(lambda _: a_document("running")).wait("job-1", 0.3)


MANY = [{"loc": ["queues", number], "msg": "no text"} for number in range(99)] + [{"loc": [], "msg": "and 901 more problems"}]
FEW = [{"loc": ["a"], "msg": "x"}, {"loc": [], "msg": "y"}]


@pytest.mark.parametrize(
    ("errors", "told"),
    [(MANY, [f"queues.{number}: no text" for number in range(20)] + ["and 980 more problems"]), (FEW, ["a: x", "y"])],
    ids=["many", "few"],
)
def test_as_many_problems_are_told_as_fit_on_a_screen(answer: Making, errors: list[Document], told: list[str]) -> None:
    client = answer(lambda _: a_problem(422, type="urn:queuecast:invalid-request", detail="the first", errors=errors))
    with pytest.raises(InvalidRequest) as raised:
        client.post("jobs", body="{}")
    assert raised.value.detail.split("; ") == told
