"""How the server ends: what has come is answered, what has not is let go; and how much it asks of the system."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from structlog.testing import capture_logs

from api.server.listener import Listener
from api.server.running import affordable_connections
from shared.config.settings import Settings
from tests.api.server.sockets import GET, LAST, ask, connect, hear, many
from tests.api.serving import listening
from tests.polling import eventually

SLOW = GET.replace(b"/healthz", b"/slow")
UPLOAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"


@pytest.fixture
def slow(settings: Settings, gate: threading.Event) -> Iterator[Listener]:
    """A service whose /slow is answered when the gate is open."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            gate.wait(60)
        body = environ["wsgi.input"].read() or b"done"
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    with listening(answer, settings) as made:
        yield made


def test_what_has_come_is_answered_and_the_rest_let_go(slow: Listener, gate: threading.Event) -> None:
    with many(slow, 5) as [silent, half, kept, uploading, asking]:
        half.sendall(SLOW[:20])
        kept.sendall(GET)
        answer = b""
        while not answer.endswith(b"done"):  # head and body may come one after the other
            received = kept.recv(65_536)
            assert received
            answer += received
        asking.sendall(SLOW + GET)
        uploading.sendall(UPLOAD + b"bo")
        eventually(lambda: sum(bool(it.request or it.requests) for it in slow.active_channels.values()) == 3, what="all")
        slow.stop()
        assert [hear(sock).raw for sock in (silent, half, kept)] == [b"", b"", b""]
        with pytest.raises(ConnectionRefusedError):
            connect(slow)
        uploading.sendall(b"dy")
        assert hear(uploading).body == b"body"
        gate.set()
        last = hear(asking)
        assert (last.body, b"Connection: close" in last.raw) == (b"done", True)


def test_asked_twice_it_waits_for_nobody(slow: Listener) -> None:
    with connect(slow) as asking:
        asking.sendall(SLOW)
        eventually(lambda: slow.task_dispatcher.active_count, what="the request to be taken")
        slow.stop()
        slow.stop()
        assert hear(asking).raw == b""


def test_nobody_waits_for_ever(slow: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(slow) as asking:
        asking.sendall(SLOW)
        eventually(lambda: slow.task_dispatcher.active_count, what="the request to be taken")
        monkeypatch.setattr("api.server.listener.GRACE_SECONDS", 0.2)
        slow.stop()
        assert hear(asking).raw == b""


@pytest.mark.parametrize(
    ("path", "host", "level"),
    [
        (b"/metrics", b"127.0.0.1", "debug"),
        (b"/metrics", b"elsewhere.example", "info"),  # which is refused
        (b"/readyz", b"127.0.0.1", "debug"),
        (b"/v1/models", b"127.0.0.1", "info"),
    ],
)
def test_who_watches_is_in_the_log_only_when_refused(server: Listener, path: bytes, host: bytes, level: str) -> None:
    with capture_logs() as lines:
        ask(server, LAST.replace(b"/healthz", path).replace(b"Host: x", b"Host: " + host))
        eventually(lambda: [line["log_level"] for line in lines if line["event"] == "request"] == [level], what="the line")


def test_there_are_as_many_connections_as_open_files_allow() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert affordable_connections(100) == 100
        assert affordable_connections(1_000_000) <= hard
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > soft or soft == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
