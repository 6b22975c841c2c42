"""Writing lines, against a server that answers what a script says: it shows what we make of an answer, and no more than that."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from shared.drivers import influx_write
from shared.drivers.influx import ErrorTypes, InfluxServer, query
from shared.drivers.influx_write import BATCH_LINES, check_writable, write_lines
from shared.errors import CredentialsRefused, SinkAway, SinkRefused
from tests.parrot import answering
from tests.polling import without_waiting
from tests.servers import free_port

ERRORS = ErrorTypes(away=SinkAway, refused=SinkRefused)
LINES = [f"usage,queue=q{number} prediction=1 {number}" for number in range(4)]
PARTIAL = '{"message": "partial write: points beyond retention policy dropped=1", "error": "partial write: dropped=1"}'


@dataclass(frozen=True)
class Answer:
    """What the server says once; the last answer of a script is said for ever."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass
class Scripted:
    """A server that follows a script, and keeps what it was sent."""

    url: str
    script: list[Answer] = field(default_factory=lambda: [Answer(204)])
    paths: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def says(self, *answers: Answer) -> None:
        self.script = list(answers)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    def follow(request: BaseHTTPRequestHandler, body: bytes) -> None:
        script.paths.append(request.path)
        script.bodies.append(body.decode())
        script.credentials.append(request.headers.get("Authorization", ""))
        script.may_answer.wait(60)
        answer = script.script.pop(0) if len(script.script) > 1 else script.script[0]
        request.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(answer.body.encode())

    with answering(follow) as url:
        script = Scripted(url)
        script.may_answer.set()
        yield script
        script.may_answer.set()


@pytest.fixture(params=["1", "2", "3"])
def server(request: pytest.FixtureRequest, scripted: Scripted) -> InfluxServer:
    return InfluxServer(url=scripted.url, version=request.param, token="writer:secret", org="ours")


Act = Callable[[InfluxServer], None]


def write(server: InfluxServer) -> None:
    write_lines(server, "forecasts", LINES, ERRORS)


def look(server: InfluxServer) -> None:
    check_writable(server, "forecasts", ERRORS)


def test_database_precision_and_credentials_go_along_as_the_version_wants_them(server: InfluxServer, scripted: Scripted) -> None:
    write(server)
    look(server)
    asked = [(urlsplit(path).path, parse_qs(urlsplit(path).query)) for path in scripted.paths]
    if server.version == "1":
        assert asked == [("/write", {"db": ["forecasts"], "precision": ["s"]})] * 2
        assert scripted.credentials == [f"Basic {b64encode(b'writer:secret').decode()}"] * 2
    else:
        assert asked == [("/api/v2/write", {"org": ["ours"], "bucket": ["forecasts"], "precision": ["s"]})] * 2
        assert scripted.credentials == ["Token writer:secret"] * 2


def test_lines_go_in_batches_and_each_goes_once(server: InfluxServer, scripted: Scripted) -> None:
    lines = [f"m v=1 {number}" for number in range(2 * BATCH_LINES + 1)]
    write_lines(server, "forecasts", lines, ERRORS)
    assert [len(body.splitlines()) for body in scripted.bodies] == [BATCH_LINES, BATCH_LINES, 1]
    assert "\n".join(scripted.bodies).splitlines() == lines


ANSWERS = {  # an answer, and what it is taken for
    Answer(200, "<html>log in</html>"): (SinkRefused, "status 200 does not say that all was written"),
    Answer(201, PARTIAL): (SinkRefused, "status 201 does not say that all was written"),
    Answer(202): (SinkRefused, "status 202 does not say that all was written"),
    Answer(304): (SinkRefused, "status 304 does not say that all was written"),
    Answer(401, '{"message": "unauthorized access"}'): (CredentialsRefused, "authentication failed: unauthorized access"),
    Answer(404, '{"message": "bucket not found"}'): (SinkRefused, "bucket not found"),
}


@pytest.mark.parametrize("act", [write, look])
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.status)
def test_no_answer_but_that_of_success_is_taken_for_written(
    server: InfluxServer, scripted: Scripted, act: Act, answer: Answer
) -> None:
    scripted.says(answer)
    error, told = ANSWERS[answer]
    with pytest.raises(error, match=told) as refused:
        act(server)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_way_to_a_login_page_is_not_taken_for_written(server: InfluxServer, scripted: Scripted, status: int) -> None:
    scripted.says(Answer(status, headers={"Location": "/login"}), Answer(200, "<html>log in</html>"))
    with pytest.raises(SinkRefused, match=r"status 200 .*log in"):
        write(server)


def test_what_answers_queries_with_a_page_is_no_database(scripted: Scripted) -> None:
    for page in ("<html>log in</html>", '"text"', "[]"):
        scripted.says(Answer(200, page))
        with pytest.raises(SinkRefused, match="what answers is no InfluxDB"):
            query(InfluxServer(url=scripted.url, version="1"), "SHOW MEASUREMENTS", ERRORS)


def test_a_partial_write_is_reported_and_not_repeated(server: InfluxServer, scripted: Scripted) -> None:
    scripted.says(Answer(400, PARTIAL))
    with pytest.raises(SinkRefused, match=r"partial write: .*dropped=1"):
        write(server)
    assert len(scripted.bodies) == 1


def test_a_body_that_is_too_large_is_halved_until_it_is_taken(server: InfluxServer, scripted: Scripted) -> None:
    too_large = Answer(413, "<html>Request Entity Too Large</html>")
    scripted.says(too_large, too_large, Answer(204))
    write(server)
    assert [len(body.splitlines()) for body in scripted.bodies] == [4, 2, 1, 1, 2]
    assert "\n".join(scripted.bodies[2:]).splitlines() == LINES


def test_a_line_that_is_too_large_alone_is_refused(server: InfluxServer, scripted: Scripted) -> None:
    scripted.says(Answer(413, "too large"))
    with pytest.raises(SinkRefused, match="too large"):
        write(server)
    assert [len(body.splitlines()) for body in scripted.bodies] == [4, 2, 1]


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long urllib3 would have waited between its tries.

    Only urllib3's clock is replaced: threads of other tests' clients sleep in this process too, and would no longer rest.
    """
    seconds: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time", SimpleNamespace(sleep=seconds.append, time=time.time))
    return seconds


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_as_late_as_it_says(
    server: InfluxServer, scripted: Scripted, slept: list[float], status: int
) -> None:
    scripted.says(Answer(status, headers={"Retry-After": "7"}), Answer(204))
    write(server)
    assert slept == [7]
    assert scripted.bodies == ["\n".join(LINES)] * 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_stays_busy_is_away_and_an_hour_is_not_waited(
    server: InfluxServer, scripted: Scripted, slept: list[float], status: int
) -> None:
    scripted.says(Answer(status, json.dumps({"message": "busy", "error": "busy"}), {"Retry-After": "3600"}))
    with pytest.raises(SinkAway, match=f"status {status}: busy"):
        write(server)
    assert slept == [10, 10, 10]
    with pytest.raises(SinkAway, match=f"status {status}: busy"):
        look(server)
    assert len(slept) == 3


@pytest.mark.parametrize("words", ["writing requires points", "incoming write was empty"])  # versions 2 and 3, from their sources
def test_a_server_that_misses_nothing_but_points_is_writable(server: InfluxServer, scripted: Scripted, words: str) -> None:
    scripted.says(Answer(400, json.dumps({"message": words})))
    if server.version == "1":
        with pytest.raises(SinkRefused, match=words):
            look(server)
    else:
        look(server)


def test_a_missing_organisation_is_told_though_it_has_the_status_of_missing_points(
    server: InfluxServer, scripted: Scripted
) -> None:
    scripted.says(Answer(400, json.dumps({"code": "invalid", "message": "Please provide either orgID or org"})))
    with pytest.raises(SinkRefused, match="Please provide either orgID or org"):
        look(server)


@pytest.mark.parametrize("act", [write, look])
@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_a_server_that_is_down_is_away_at_once(version: str, act: Act) -> None:
    port = free_port()
    with without_waiting(60), pytest.raises(SinkAway, match=f"NewConnectionError at 127.0.0.1:{port}"):
        act(InfluxServer(url=f"http://127.0.0.1:{port}", version=version, token="writer:secret"))


def test_a_server_that_says_nothing_is_away_in_a_look(
    server: InfluxServer, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert influx_write.LOOK_LIMITS.total is not None
    assert influx_write.LOOK_LIMITS.total < 5
    monkeypatch.setattr(influx_write, "LOOK_LIMITS", urllib3.Timeout(total=0.2))
    scripted.may_answer.clear()
    with pytest.raises(SinkAway, match=r"ReadTimeoutError at 127\.0\.0\.1"):
        look(server)


def test_a_token_is_not_shown_with_its_server() -> None:
    assert "secret" not in repr(InfluxServer(url="http://influx:8086", token="ann:secret"))
