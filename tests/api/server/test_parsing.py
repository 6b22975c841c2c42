"""Requests that two readers could understand differently are refused, with a reason, in the answer and in the log."""

from __future__ import annotations

from collections.abc import Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from api.edge.sparing import LINES
from api.server.listener import Listener
from shared.config.settings import Settings
from tests.api.server.sockets import GET, LAST, ask
from tests.api.serving import listening


def well(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """An application that has understood everything."""
    start_response("200 OK", [("Content-Length", "0")])
    return [b""]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    with listening(well, Settings(data_dir=tmp_path_factory.mktemp("data"))) as made:
        yield made


HEAD = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
FIVE = HEAD + b"Content-Length: 5\r\n"
SMUGGLED = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(FIVE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400, id="both lengths"),
        pytest.param(FIVE + b"Content-Length: 6\r\n\r\nhello" + SMUGGLED, 400, id="two lengths"),
        pytest.param(FIVE + b"Content-Length: 5\r\n\r\nhello" + SMUGGLED, 400, id="one length twice"),
        pytest.param(HEAD + b"Content-Length: 5, 5\r\n\r\nhello", 400, id="a list of lengths"),
        pytest.param(HEAD + b"Content-Length: +5\r\n\r\nhello", 400, id="a sign"),
        pytest.param(HEAD + b"Content-Length: 0x5\r\n\r\nhello", 400, id="hexadecimal"),
        pytest.param(HEAD + b"Content-Length: \xb2\r\n\r\n", 400, id="a digit of another alphabet"),
        pytest.param(HEAD + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n", 400, id="a length beyond numbers"),
        pytest.param(HEAD + b"Content-Length : 5\r\n\r\nhello", 400, id="a space before the colon"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400, id="two encodings"
        ),
        pytest.param(HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501, id="an unknown encoding"),
        pytest.param(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, id="an encoding of ours to undo"),
        pytest.param(HEAD + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", 400, id="a blank that is none"),
        pytest.param(HEAD.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, id="chunks in HTTP/1.0"),
        pytest.param(CHUNKED + b"xyz\r\n", 400, id="a size that is no number"),
        pytest.param(CHUNKED + b"-5\r\nhello", 400, id="a size below zero"),
        pytest.param(CHUNKED + b"0x5\r\nhello", 400, id="a size with a prefix"),
        pytest.param(CHUNKED + b"5\n\r\nhello\r\n0\r\n\r\n", 400, id="a size that ends with a line feed"),
        pytest.param(CHUNKED + b"5;a\n\r\nhello\r\n0\r\n\r\n", 400, id="an extension likewise"),
        pytest.param(CHUNKED + b"5\r\nhelloX\r\n0\r\n\r\n", 400, id="a chunk that is longer"),
        pytest.param(HEAD + b"X-a: b\r\n c\r\n\r\n", 400, id="a header over two lines"),
        pytest.param(HEAD + b" X-a: b\r\n\r\n", 400, id="a header that begins with a blank"),
        pytest.param(HEAD + b"X-a: b\nContent-Length: 5\r\n\r\n", 400, id="a line feed alone"),
        pytest.param(HEAD + b"X-a: b\rContent-Length: 5\r\n\r\n", 400, id="a carriage return alone"),
        pytest.param(HEAD + b"X-a: b\x00c\r\n\r\n", 400, id="a NUL in a header"),
        pytest.param(HEAD + b"X a: b\r\n\r\n", 400, id="a blank in a name"),
        pytest.param(HEAD + b": b\r\n\r\n", 400, id="no name"),
        pytest.param(HEAD + b"Host: y\r\n\r\n", 400, id="two hosts"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, id="a host that is none"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, id="a host with a path"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, id="a host with a user"),
        pytest.param(b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="a NUL in the address"),
        pytest.param(b"GET /\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="controls in the address"),
        pytest.param(b"GET /\xc3\xbc HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="a letter that is not escaped"),
        pytest.param(b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="two blanks"),
        pytest.param(b"GET /\r\nHost: x\r\n\r\n", 400, id="no version"),
        pytest.param(b"get / HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="a method in lower case"),
        pytest.param(b"G\x01T / HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="a method that is none"),
        pytest.param(b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, id="another version"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, id="HTTP/2"),
        pytest.param(b"GET nothing HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="an address that is neither path nor URL"),
        pytest.param(b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="a tunnel"),
        pytest.param(b"GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="a URL of another host"),
        pytest.param(b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="a URL that is none"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, id="TLS"),
        pytest.param(b"\xff\xfe\r\n\r\n", 400, id="noise"),
    ],
)
def test_it_is_refused_and_the_connection_ends(
    server: Listener, capsys: pytest.CaptureFixture[str], sent: bytes, status: int
) -> None:
    heard = ask(server, sent)
    assert heard.statuses == [status]
    assert (heard.problem["status"], heard.problem["type"]) == (status, "about:blank")
    assert heard.problem["detail"]
    assert b"nosniff" in heard.raw
    assert b"server:" not in heard.raw.lower()
    [line] = [line for line in capsys.readouterr().out.splitlines() if "request refused" in line]
    assert all(part in line for part in ("127.0.0.1", str(status)))


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        pytest.param(GET + GET + LAST, [200, 200, 200], id="several at once"),
        pytest.param(b"\r\n\r\n" + LAST, [200], id="empty lines before"),
        pytest.param(b"GET /healthz HTTP/1.0\r\n\r\n", [200], id="HTTP/1.0"),
        pytest.param(b"GET http://x/healthz HTTP/1.1\r\nHost: X\r\nConnection: close\r\n\r\n", [200], id="a whole URL"),
        pytest.param(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", [200], id="only the head"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", [200], id="options of everything"),
        pytest.param(b"GET /v1/queues/%00%1b%0a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", [200], id="escaped controls"),
        pytest.param(LAST.replace(b"Host: x", b"Host: [::1]:8080"), [200], id="IPv6"),
        pytest.param(
            HEAD + b"Connection: close\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nT: v\r\n\r\n",
            [200],
            id="chunks with all that belongs to them",
        ),
    ],
)
def test_what_is_right_is_answered(server: Listener, sent: bytes, statuses: list[int]) -> None:
    heard = ask(server, sent)
    assert heard.statuses == statuses
    assert b"server:" not in heard.raw.lower()


def test_a_head_may_come_in_any_pieces(server: Listener) -> None:
    assert ask(server, *(LAST[at : at + 1] for at in range(len(LAST)))).statuses == [200]


def test_neither_answer_nor_log_repeats_what_was_sent(server: Listener, capsys: pytest.CaptureFixture[str]) -> None:
    heard = ask(server, b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer qc_secret\nX: y\r\n\r\n")
    assert (heard.statuses, b"qc_secret" in heard.raw) == ([400], False)
    assert "qc_secret" not in capsys.readouterr().out


def test_who_is_refused_often_does_not_fill_the_log(server: Listener, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(LINES + 40):
        ask(server, b"x\r\n\r\n")
    lines = [line for line in capsys.readouterr().out.splitlines() if "request refused" in line]
    assert 0 < len(lines) <= LINES
