"""One question over HTTP, whose answer has an end: in time from the connection to its last byte, and in size when unpacked.

A socket's own timeout is one of each read, and who sends a byte now and then never meets it; so a timer ends the connection.
A server that is silent for a minute is given up before that.
No redirect is followed and no connection kept.
"""

from __future__ import annotations

import socket
import ssl
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Event, Timer
from urllib.parse import quote, urlsplit

CONNECT_SECONDS = 3.0
MAX_SILENT_SECONDS = 60.0  # before the next byte
PORTS = {"http": 80, "https": 443}
_CHUNK = 1 << 16
_OF_PATHS = "/%:@!$&'()*+,;=~"  # signs that stand in a path as they are
_ANY_HEADER = 47  # of zlib: that of gzip, or its own


class TooLargeError(Exception):
    """An answer has more bytes than are accepted."""


class NotPlainError(Exception):
    """An answer is packed in a way that is not accepted, or badly."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came, whole and unpacked; the names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def fetch(
    url: str,
    headers: Mapping[str, str],
    *,
    method: str = "",
    body: bytes | None = None,
    seconds: float,
    max_bytes: int,
    ca_file: str | None = None,
) -> Answer:
    """The answer to a GET, to a POST of a body, or to another `method`.

    Args:
        ca_file: who vouches for the server's certificate; None = whom the system trusts.

    Raises:
        OSError, http.client.HTTPException: there is no whole answer in time. TooLargeError, NotPlainError: it is not taken.
    """
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
    with _connected(host, port, _context(ca_file) if parts.scheme == "https" else None, seconds) as (line, is_over):
        connection = HTTPConnection(host, port)
        connection.sock = line
        connection.auto_open = 0  # a second connection would be one without TLS and without an end
        sent = {"Accept-Encoding": "gzip", "Connection": "close", **headers}
        with _in_time(is_over, seconds):
            connection.request(method or ("GET" if body is None else "POST"), _target(url), body, sent)
            with connection.getresponse() as answer:
                content = _content(answer, max_bytes)
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)


@contextmanager
def _in_time(is_over: Event, seconds: float) -> Iterator[None]:
    """Raises TimeoutError for whatever became of an answer that was ended."""
    try:
        yield
    except (OSError, HTTPException, NotPlainError) as error:
        if not is_over.is_set():
            raise
        raise TimeoutError(f"its answer was not complete after {seconds:g} s") from error
    if is_over.is_set():  # an answer that ends with its connection looks whole
        raise TimeoutError(f"its answer was not complete after {seconds:g} s")


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (quote(parts.path, safe=_OF_PATHS) or "/") + (f"?{parts.query}" if parts.query else "")


@contextmanager
def _connected(host: str, port: int, context: ssl.SSLContext | None, seconds: float) -> Iterator[tuple[socket.socket, Event]]:
    """A connection that is ended when the time is over, which the event tells, in the middle of whatever it does."""
    try:
        line = socket.create_connection((host, port), timeout=min(CONNECT_SECONDS, seconds))
    except UnicodeError as error:  # a part of it is empty or too long
        raise OSError(f"{host[:60]} cannot be the name of a host") from error
    handle = line.dup()  # stays the same where TLS is put around the other one
    is_over = Event()
    timer = Timer(seconds, _end, (handle, is_over))
    timer.daemon = True
    timer.start()
    try:
        line.settimeout(min(MAX_SILENT_SECONDS, seconds))
        line = line if context is None else _with_tls(line, context, host, is_over)
        yield line, is_over
    finally:
        timer.cancel()
        line.close()
        handle.close()


def _with_tls(line: socket.socket, context: ssl.SSLContext, host: str, is_over: Event) -> socket.socket:
    try:
        return context.wrap_socket(line, server_hostname=host)
    except OSError as error:
        if is_over.is_set():
            raise TimeoutError("it took too long to agree on TLS") from error
        raise


def _end(line: socket.socket, is_over: Event) -> None:
    is_over.set()
    with suppress(OSError):  # it is closed already
        line.shutdown(socket.SHUT_RDWR)


def _content(answer: HTTPResponse, max_bytes: int) -> bytes:
    encoding = (answer.getheader("Content-Encoding") or "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise NotPlainError(f"its encoding is {encoding[:40]!r}; accepted is gzip, or none")
    parts, size = [], 0
    for part in _read(answer) if encoding == "identity" else _unpacked(_read(answer)):
        size += len(part)
        if size > max_bytes:
            raise TooLargeError(f"it is larger than the accepted {max_bytes >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


def _read(answer: HTTPResponse) -> Iterator[bytes]:
    while part := answer.read(_CHUNK):
        yield part
    if answer.length:
        raise ConnectionError(f"its answer was cut: {answer.length} bytes are missing")


def _unpacked(parts: Iterator[bytes]) -> Iterator[bytes]:
    """What is packed, a piece at a time, however small it was packed."""
    packed = zlib.decompressobj(_ANY_HEADER)
    try:
        for part in parts:
            yield packed.decompress(part, _CHUNK)
            while packed.unconsumed_tail:
                yield packed.decompress(packed.unconsumed_tail, _CHUNK)
    except zlib.error as error:
        raise NotPlainError(f"it is not packed as gzip says: {error}") from None
    if not packed.eof or packed.unused_data:
        raise NotPlainError("what is packed does not end where the answer does")


@lru_cache(maxsize=8)
def _context(ca_file: str | None) -> ssl.SSLContext:
    """Made once, since it reads many certificates. They are looked at, always."""
    return ssl.create_default_context(cafile=ca_file)
