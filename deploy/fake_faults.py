"""What may go wrong with an answer on its way, to be asked for: each takes the good answer and sends something else."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler

PACKED_FROM = 1_024  # bytes
ELSEWHERE = "http://elsewhere.invalid:8088/ws/v1/cluster/scheduler"
HUGE_MIB = 80
BITS_SECONDS = 0.2
LATE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    content: bytes
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def packed(self) -> Reply:
        """The same as gzip, where that is worth while."""
        if len(self.content) < PACKED_FROM:
            return self
        return replace(self, content=gzip.compress(self.content, 5), headers={**self.headers, "Content-Encoding": "gzip"})

    def send_to(self, handler: BaseHTTPRequestHandler, length: int | None = None) -> None:
        """Send it all; `length` is what is told instead of its own."""
        handler.send_response(self.status)
        told = str(len(self.content) if length is None else length)
        for name, value in {"Content-Type": self.kind, **self.headers, "Content-Length": told}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(self.content)


def _slow(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    replace(reply, content=b"").send_to(handler, len(reply.content))
    for byte in reply.content:
        handler.wfile.write(bytes([byte]))
        time.sleep(BITS_SECONDS)


def _cut(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    replace(reply, content=reply.content[: len(reply.content) // 2]).send_to(handler, len(reply.content))


def _garbage(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    Reply(200, bytes(reversed(reply.content)), reply.kind).send_to(handler)


def _elsewhere(handler: BaseHTTPRequestHandler, _reply: Reply) -> None:
    Reply(307, b"This is standby RM.", "text/plain", {"Location": ELSEWHERE}).send_to(handler)


def _huge(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Small as it is sent."""
    blanks = gzip.compress(reply.content + b" " * (HUGE_MIB << 20), 1)
    Reply(200, blanks, reply.kind, {"Content-Encoding": "gzip"}).send_to(handler)


def _broken(handler: BaseHTTPRequestHandler, _reply: Reply) -> None:
    Reply(500, b"java.lang.OutOfMemoryError: Java heap space", "text/plain").send_to(handler)


def _gone(_handler: BaseHTTPRequestHandler, _reply: Reply) -> None:
    """Nothing: the connection ends."""


def _unanswered(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """A change is taken up, and nobody is told; all else is answered."""
    if handler.command != "PUT":
        reply.send_to(handler)


def _late(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """A change is taken up, and told of seconds later; all else is answered at once."""
    if handler.command == "PUT":
        time.sleep(LATE_SECONDS)
    reply.send_to(handler)


FAULTS: Mapping[str, Callable[[BaseHTTPRequestHandler, Reply], None]] = {
    "slow": _slow,
    "cut": _cut,
    "garbage": _garbage,
    "elsewhere": _elsewhere,
    "huge": _huge,
    "broken": _broken,
    "gone": _gone,
    "unanswered": _unanswered,
    "late": _late,
}
