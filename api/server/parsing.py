"""Strict parsing, against request smuggling: what a proxy could understand differently is refused."""

from __future__ import annotations

import re
from collections import Counter
from http import HTTPStatus
from typing import Any

from waitress import receiver
from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser

MAX_HEADERS = 100
UPLOADS, OF_UPLOADS = "/v1/uploads/", "of_uploads"  # the address, and what such requests may be
FREE_FRAMES = 16_384  # bytes of chunks' sizes, extensions and trailers, beyond a quarter of what the chunks hold
ONCE = (b"host", b"content-length", b"transfer-encoding")
HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
ABSOLUTE = re.compile(rb"https?://([^/?#]+)(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
UNESCAPED = re.compile(rb"[^\x21-\x7e]")

# waitress ends its patterns with `$`, which also fits before a line feed: a chunk's size could end with one.
receiver.ONLY_HEXDIG_RE = re.compile(rb"[0-9a-fA-F]{1,16}\Z")
receiver.CHUNK_EXT_RE = re.compile(receiver.CHUNK_EXT_RE.pattern.removesuffix(b"$") + rb"\Z")


class Refusal(Exception):  # noqa: N818 - of a request, not a fault of ours
    """Why a request is not answered by the application; `code`, `reason` and `body` as waitress' own errors have them."""

    def __init__(self, status: HTTPStatus, body: str) -> None:
        super().__init__(body)
        self.code, self.reason, self.body = int(status), status.phrase, body


class Request(HTTPRequestParser):
    """A request that is being read, or has been; with `error` it is to be refused."""

    error: Any  # a Refusal, or waitress' own
    adj: Adjustments

    def __init__(self, adjustments: Adjustments) -> None:
        super().__init__(adjustments)
        self.command, self.path = "", ""  # of one that is refused before they are known

    @property
    def is_upload(self) -> bool:
        """Whether its body is a file, which may be larger than any other body."""
        return self.command == "PUT" and UPLOADS in self.path

    def received(self, data: bytes) -> int:
        """Parse bytes that have come; gives how many belonged to this request."""
        consumed: int = super().received(data)
        if self.chunked and self.body_rcv is not None and self.error is None:
            self._check_frames(len(self.body_rcv))
        if self.error is not None or self.body_rcv is None:
            self.expect_continue = False  # else waitress would ask for a body that nobody reads
        return consumed

    def _check_frames(self, held: int) -> None:
        """Refuse a body that is more frames than content: each chunk costs as much to read as a thousand bytes."""
        if self.body_bytes_received - held > FREE_FRAMES + held // 4:
            self.error, self.completed = _bad("the chunks of the body are too small, or carry too much beside it"), True

    def parse_header(self, header_plus: bytes) -> None:
        """Understand the head, or note why it is refused."""
        try:
            check_head(header_plus)
            super().parse_header(header_plus)
            if self.is_upload:
                self.adj = getattr(self.adj, OF_UPLOADS, self.adj)
        except Refusal as refusal:
            self.error = refusal
        except ValueError:  # an address or a number that Python's own parsers do not accept
            self.error = Refusal(HTTPStatus.BAD_REQUEST, "the request line or a length cannot be understood")


def check_head(head: bytes) -> None:
    """Raises Refusal: lengths that contradict each other, headers twice, lines continued, no version, no address."""
    line, *rest = head.split(b"\r\n")
    fields = [field for field in rest if field]
    if len(fields) > MAX_HEADERS:
        raise Refusal(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"the request has {len(fields)} headers, accepted are {MAX_HEADERS}"
        )
    if any(field.startswith((b" ", b"\t")) for field in fields):
        raise _bad("a header goes on in a second line, which is not accepted any more")
    parts = line.split(b" ")
    if len(parts) != 3:
        raise _bad("the request line is not a method, an address and a version")
    method, target, version = parts
    if version not in {b"HTTP/1.0", b"HTTP/1.1"}:
        raise Refusal(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "accepted are HTTP/1.0 and HTTP/1.1")
    names = Counter(field.partition(b":")[0].lower() for field in fields)
    _check_lengths(names, version)
    _check_target(method, target, _host(fields, version))


def _check_lengths(names: Counter[bytes], version: bytes) -> None:
    """One length, told in one way."""
    for name in ONCE:
        if names[name] > 1:
            raise _bad(f"the header {name.decode().title()} is given {names[name]} times")
    if names[b"transfer-encoding"] and (names[b"content-length"] or version == b"HTTP/1.0"):
        raise _bad("Transfer-Encoding is accepted in HTTP/1.1 only, and not beside Content-Length")


def _host(fields: list[bytes], version: bytes) -> bytes | None:
    """The host that is named; None = by none, as HTTP/1.0 may."""
    named = next((value for name, _, value in (field.partition(b":") for field in fields) if name.lower() == b"host"), None)
    if named is None:
        if version == b"HTTP/1.1":
            raise _bad("HTTP/1.1 needs the header Host")
        return None
    host = named.strip(b" \t")
    if not HOST.fullmatch(host):
        raise _bad("the header Host is not a name or an address with or without a port")
    return host


def _check_target(method: bytes, target: bytes, host: bytes | None) -> None:
    """A path, `*` of OPTIONS, or a whole URL of the same host."""
    if UNESCAPED.search(target):
        raise _bad("the address has characters that must be escaped, such as %C3%BC")
    if target.startswith(b"/") or (method, target) == (b"OPTIONS", b"*"):
        return
    absolute = ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise _bad("the address is neither a path nor a URL")
    if absolute[1].lower() != (host or b"").lower():
        raise _bad("the address names another host than the header Host")


def _bad(detail: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, detail)
