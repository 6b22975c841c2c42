"""What strangers do to be served alone: many, silent, slow, endless. Others are answered meanwhile."""

from __future__ import annotations

import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from api.server.connection import (
    ANSWER_SECONDS,
    BODY_SECONDS,
    HEAD_SECONDS,
    IDLE_SECONDS,
    MAX_PIPELINED,
    MAX_UPLOADS,
    MIN_BYTES_PER_SECOND,
)
from api.server.listener import HEAD_BYTES, PROBE, Listener
from shared.config.settings import Settings
from tests.api.scene import MakeApp
from tests.api.server.sockets import GET, HALF_A_BODY, HALF_A_HEAD, LAST, ask, connect, hear, is_well, many, pass_time
from tests.api.serving import listening
from tests.polling import eventually

LARGE = b"x" * 8_000_000


def answer_large(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """A large answer to everything but the probe."""
    body = b"well" if environ["PATH_INFO"] == PROBE else LARGE
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def large(settings: Settings) -> Iterator[Listener]:
    with listening(answer_large, settings) as made:
        yield made


def test_silent_and_half_sent_requests_hold_nobody_up(server: Listener) -> None:
    with many(server, 300), many(server, 50, HALF_A_HEAD), many(server, 8, HALF_A_BODY):
        assert all(is_well(server) for _ in range(5))
        assert ask(server, LAST.replace(PROBE.encode(), b"/login")).statuses == [200]


def test_one_address_has_so_many_connections_and_the_oldest_silent_one_makes_room(server: Listener) -> None:
    most = server.settings.max_connections_per_address
    with many(server, most + 10) as socks:
        assert hear(socks[0]).raw == b""
        eventually(lambda: len(server.active_channels) == most, what="the surplus to go")
        assert ask(server, GET[:10], LAST[10:]).statuses == [200]


def test_who_has_sent_more_is_kept_longer(server: Listener) -> None:
    with many(server, 1, HALF_A_BODY) as [uploading]:
        eventually(lambda: any(it.request for it in server.active_channels.values()), what="the upload to begin")
        with many(server, server.settings.max_connections_per_address + 5, HALF_A_HEAD):
            uploading.sendall(b"ken=qc_wrong" + b"x" * 986)
            assert b"HTTP/1.1 303" in uploading.recv(65_536)


def test_who_is_being_answered_is_never_cut_off_and_one_more_is_told(settings: Settings, gate: threading.Event) -> None:
    def wait(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        gate.wait(60)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"done"]

    narrow = settings.model_copy(update={"max_connections_per_address": 8})
    with listening(wait, narrow) as server, many(server, 8, LAST.replace(PROBE.encode(), b"/slow")) as socks:
        eventually(lambda: len([it for it in server.active_channels.values() if it.requests]) == 8, what="all to ask")
        refused = ask(server)
        assert (refused.statuses, b"Retry-After: 1" in refused.raw) == ([503], True)
        gate.set()
        assert [hear(sock).body for sock in socks] == [b"done"] * 8


def test_a_proxy_that_is_trusted_may_have_more_connections(settings: Settings, make_app: MakeApp) -> None:
    behind = settings.model_copy(update={"trusted_proxies": 1, "max_connections_per_address": 8})
    with listening(make_app(behind), behind) as server, many(server, 40, GET) as socks:
        assert all(b"HTTP/1.1 200" in sock.recv(65_536) for sock in socks)
        assert len(server.active_channels) == 40


def test_all_addresses_together_have_a_limit_too(settings: Settings, make_app: MakeApp) -> None:
    narrow = settings.model_copy(update={"max_connections": 16})
    with listening(make_app(narrow), narrow) as server, many(server, 30):
        eventually(lambda: len(server.active_channels) == 16, what="the surplus to go")
        assert is_well(server)


@pytest.mark.parametrize(
    ("sent", "limit", "told"),
    [
        (b"", HEAD_SECONDS, []),
        (HALF_A_HEAD, HEAD_SECONDS, [408]),
        (b"\r\n", HEAD_SECONDS, []),
        (b"\r\n\r\n\r\n", HEAD_SECONDS, []),
        (HALF_A_BODY, BODY_SECONDS + 2 / MIN_BYTES_PER_SECOND, [408]),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", BODY_SECONDS, [408]),
        (GET, IDLE_SECONDS, [200]),
    ],
)
def test_each_part_of_a_request_has_its_time(server: Listener, sent: bytes, limit: float, told: list[int]) -> None:
    with connect(server) as sock:
        sock.sendall(sent)
        eventually(lambda: list(server.active_channels.values()), what="the connection")
        ask(server, LAST)  # what was sent before has been read
        pass_time(server, limit - 1)
        ask(server, LAST)
        assert [it for it in server.active_channels.values() if not it.will_close]
        pass_time(server, limit + 1)
        assert hear(sock).statuses == told


def test_empty_lines_buy_no_time(server: Listener) -> None:
    with connect(server) as sock:
        sock.sendall(b"\r\n")
        [connection] = eventually(lambda: list(server.active_channels.values()), what="the connection")
        began = connection.since
        for _ in range(5):
            sock.sendall(b"\r\n")
            ask(server, LAST)
        assert connection.since == began
        sock.sendall(LAST)
        assert hear(sock).statuses == [200]


def test_requests_sent_all_at_once_are_not_served_before_those_of_others(server: Listener) -> None:
    answer = ask(server, GET * 100)
    assert answer.statuses == [200] * MAX_PIPELINED + [400]


@pytest.mark.parametrize(
    "chunks",
    [b"1\r\nx\r\n" * 190_000, b"1;" + b"a" * 1_000_000 + b"\r\nx\r\n", b"0\r\n" + b"a: b\r\n" * 160_000],
    ids=["tiny", "extension", "trailer"],
)
def test_a_body_of_frames_is_refused_before_all_of_it_is_read(server: Listener, chunks: bytes) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert ask(server, head + chunks).statuses == [400]


def test_a_byte_now_and_then_buys_no_time(server: Listener) -> None:
    with connect(server) as sock:
        for number in range(6):
            sock.sendall(HALF_A_HEAD[number : number + 1])
            eventually(lambda: any(it.request for it in server.active_channels.values()), what="a byte to be read")
        [connection] = server.active_channels.values()
        assert connection.since < time.monotonic()
        began = connection.since
        sock.sendall(HALF_A_HEAD[6:])
        eventually(lambda: len(connection.request.header_plus) == len(HALF_A_HEAD), what="the rest")
        assert connection.since == began


def test_a_body_may_take_longer_the_larger_it_is(server: Listener) -> None:
    body = b"x" * (MIN_BYTES_PER_SECOND * 20)
    with connect(server) as sock:
        sock.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" + body)
        eventually(
            lambda: any(it.request and it.request.body_bytes_received == len(body) for it in server.active_channels.values()),
            what="the body",
        )
        pass_time(server, BODY_SECONDS + 19)
        assert not any(it.will_close or it.requests for it in server.active_channels.values())
        pass_time(server, BODY_SECONDS + 21)
        assert hear(sock).statuses == [408]


def test_who_does_not_take_a_large_answer_is_cut_off_and_holds_no_thread(large: Listener) -> None:
    with many(large, 20, GET.replace(PROBE.encode(), b"/large")) as socks:
        eventually(
            lambda: len([it for it in large.active_channels.values() if it.total_outbufs_len and not it.requests]) == 20,
            what="all answers to wait for their readers",
        )
        assert is_well(large)
        taken = len(socks[0].recv(500_000))
        pass_time(large, ANSWER_SECONDS + 8_000_000 / MIN_BYTES_PER_SECOND)
        eventually(lambda: not large.active_channels, what="those who do not read to go")
        assert taken + len(hear(socks[0]).raw) < len(LARGE)


def test_who_takes_a_large_answer_gets_all_of_it(large: Listener) -> None:
    assert ask(large, LAST.replace(PROBE.encode(), b"/large")).body == LARGE


def test_the_probe_is_answered_while_every_thread_is_busy(settings: Settings, make_app: MakeApp, gate: threading.Event) -> None:
    app = make_app(settings)
    entered = threading.Semaphore(0)

    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> object:
        if environ["PATH_INFO"] == "/v1/models":
            entered.release()
            gate.wait(60)
        return app(environ, start_response)

    with listening(slow, settings) as server, ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(ask, server, LAST.replace(PROBE.encode(), b"/v1/models")) for _ in range(20)]
        assert all(entered.acquire(timeout=60) for _ in range(settings.api_threads))
        assert all(is_well(server) for _ in range(3))
        gate.set()
        assert {heard.result().statuses[0] for heard in waiting} <= {401, 503}


def test_the_probe_is_answered_while_every_thread_computes(settings: Settings, make_app: MakeApp, gate: threading.Event) -> None:
    app = make_app(settings)

    def compute(environ: WSGIEnvironment, start_response: StartResponse) -> object:
        while environ["PATH_INFO"] != PROBE and not gate.is_set():
            sum(range(1_000))
        return app(environ, start_response)

    with listening(compute, settings) as server, many(server, settings.api_threads, LAST.replace(PROBE.encode(), b"/x")):
        eventually(lambda: server.task_dispatcher.active_count == settings.api_threads, what="all to compute")
        assert all(is_well(server) for _ in range(3))
        gate.set()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * (HEAD_BYTES + 1), id="a head without end"),
        pytest.param(b"GET /" + b"x" * (HEAD_BYTES + 1), id="an address without end"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 1_000 + b"\r\n", id="a thousand headers"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 100_000, id="headers without end"),
    ],
)
def test_heads_have_a_limit(server: Listener, sent: bytes) -> None:
    heard = ask(server, sent)
    assert (heard.statuses, heard.problem["title"]) == ([431], "Request Header Fields Too Large")


SUBMIT = b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n"
MOST = Settings.model_fields["max_body_bytes"].default


@pytest.mark.parametrize(
    "parts",
    [
        (b"Content-Length: %d\r\n\r\n" % (2 * MOST),),
        *((b"Content-Length: %d\r\n\r\n" % size, b" " * size) for size in (MOST + 1, MOST + 2_000_000)),
        (b"Transfer-Encoding: chunked\r\n\r\n", (b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 40),
    ],
    ids=["before it comes", "a byte more", "far more", "chunks without end"],
)
def test_who_sends_a_body_above_the_limit_is_refused_and_hears_of_it(server: Listener, parts: tuple[bytes, ...]) -> None:
    heard = ask(server, SUBMIT + parts[0], *parts[1:])
    assert (heard.statuses, heard.problem["detail"]) == ([413], f"the body is larger than the accepted {MOST} bytes")


def test_a_body_that_is_waited_for_is_asked_for_only_if_it_will_be_taken(server: Listener) -> None:
    head = SUBMIT.replace(b"application/json", b"text/plain") + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    assert ask(server, head % 5_000_000).statuses == [413]
    assert ask(server, head % 0).statuses == [415]
    with connect(server) as sock:
        sock.sendall(head % 2)
        assert sock.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"{}")
        assert hear(sock).statuses == [415]


def test_urgent_data_does_not_keep_the_server_busy(server: Listener) -> None:
    with connect(server) as sock:
        sock.send(b"!", socket.MSG_OOB)
        assert hear(sock).raw == b""
    assert is_well(server)


def test_more_open_files_than_select_could_watch_are_no_hindrance(server: Listener) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2_048), hard))
    held = [os.dup(1) for _ in range(1_100)]
    try:
        assert is_well(server)
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_few_uploads_come_at_a_time_and_only_they_may_be_large(settings: Settings, make_app: MakeApp) -> None:
    head = b"PUT /v1/uploads/x.csv HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\nday,load\n"
    allowing = settings.model_copy(update={"uploads": "on"})
    with listening(make_app(allowing), allowing) as server:
        assert ask(server, head % 25_000_000).statuses == [413]
        assert ask(server, (head % 2_000_000).replace(b"PUT", b"POST")).statuses == [413]
        assert ask(server, (head % 2_000_000).replace(b"uploads/", b"jobs/")).statuses == [413]
        with many(server, MAX_UPLOADS, head % 20_000_000):
            eventually(lambda: sum(it.has_upload for it in server.active_channels.values()) == MAX_UPLOADS, what="them to begin")
            assert ask(server, head % 20_000_000).statuses == [503]
            assert is_well(server)
    with listening(make_app(settings), settings) as server:  # switched off: no body is larger than any other
        assert ask(server, head % 2_000_000).statuses == [413]
