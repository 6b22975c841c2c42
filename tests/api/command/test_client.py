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
    error = UnknownModel("found 'x', known are prophet", **ids)
    client = answer(lambda _: a_problem(422, type="urn:queuecast:unknown-model", detail=str(error)))
    with pytest.raises(UnknownModel) as raised:
        client.models()
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


@pytest.mark.parametrize("status", [503, 429])
def test_waiting_outlives_a_service_that_is_started_again_or_wants_fewer_requests(
    answer: Callable[[Answering], Client], status: int
) -> None:
    client = answer(ending_after(a_document("running"), a_problem(status), a_problem(status), a_document("succeeded")))
    assert client.wait("job-1", 10)["state"] == "succeeded"


def test_waiting_does_not_begin_at_a_service_that_is_away(answer: Callable[[Answering], Client]) -> None:
    with pytest.raises(ApiAway):
        answer(lambda _: a_problem(503)).wait("job-1", 10)


def test_waiting_ends_after_its_time_and_says_how_to_go_on(answer: Callable[[Answering], Client]) -> None:
    with pytest.raises(TimeoutError, match="queuecast jobs watch job-1"):
        answer(lambda _: a_document("running")).wait("job-1", 0.3)


def test_of_many_problems_as_many_are_told_as_fit_on_a_screen(answer: Callable[[Answering], Client]) -> None:
    errors = [{"loc": ["queues", number], "msg": "no text"} for number in range(99)] + [
        {"loc": [], "msg": "and 901 more problems"}
    ]
    client = answer(lambda _: a_problem(422, type="urn:queuecast:invalid-request", detail="the first", errors=errors))
    with pytest.raises(InvalidRequest) as raised:
        client.submit("{}")
    problems = raised.value.detail.split("; ")
    assert problems == [f"queues.{number}: no text" for number in range(20)] + ["and 980 more problems"]


def test_few_problems_are_told_whole(answer: Callable[[Answering], Client]) -> None:
    errors = [{"loc": ["a"], "msg": "x"}, {"loc": [], "msg": "y"}]
    client = answer(lambda _: a_problem(422, type="urn:queuecast:invalid-request", detail="the first", errors=errors))
    with pytest.raises(InvalidRequest, match=r"a: x; y$"):
        client.submit("{}")
