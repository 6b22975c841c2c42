"""Clients that speak to a listener as they like: byte by byte, wrongly, slowly, or not at all."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from api.server.listener import Listener

PATIENCE = 10.0
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nX-a: "
HALF_A_BODY = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nto"
LAST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Heard:
    """What came back until the server closed the connection."""

    raw: bytes

    @property
    def statuses(self) -> list[int]:
        """The status of each answer."""
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", self.raw)]

    @cached_property
    def body(self) -> bytes:
        """The body of the only answer."""
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def problem(self) -> Any:
        """The body, which tells a problem."""
        assert b"content-type: application/problem+json" in self.raw.lower()
        return json.loads(self.body)


def connect(server: Listener) -> socket.socket:
    """A connection that nothing has been sent on."""
    return socket.create_connection(("127.0.0.1", int(server.effective_port)), timeout=PATIENCE)


def hear(sock: socket.socket) -> Heard:
    """All that comes until the end."""
    parts = []
    try:
        while part := sock.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return Heard(b"".join(parts))


def ask(server: Listener, *parts: bytes) -> Heard:
    """Send the parts on a connection of their own, and hear all that comes back."""
    with connect(server) as sock:
        for part in parts:
            sock.sendall(part)
        return hear(sock)


@contextmanager
def many(server: Listener, number: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections, which have sent this and nothing more."""
    with ExitStack() as stack:
        socks = [stack.enter_context(connect(server)) for _ in range(number)]
        for sock in socks:
            if first:
                sock.sendall(first)
        yield socks


def is_well(server: Listener) -> bool:
    """Whether the process says so, before the sockets' limit: a thread of the service may be waited for longer."""
    return ask(server, LAST).statuses == [200]


def pass_time(server: Listener, seconds: float) -> None:
    """Have the server look at its connections as if it were later."""
    for connection in list(server.active_channels.values()):
        connection.attend(time.monotonic() + seconds)
    server.pull_trigger()
