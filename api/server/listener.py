"""The listening socket and its connections: limits in total and per address, and which are closed when there are too many."""

from __future__ import annotations

import logging
import socket
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from copy import copy
from wsgiref.types import WSGIApplication

import structlog
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from api.edge.proxies import is_proxy
from api.edge.sparing import SparingLog
from api.server.connection import Connection, group_of
from api.server.memory import LARGE_BYTES
from api.server.parsing import OF_UPLOADS
from shared.config.settings import Settings
from shared.drivers.uploads_folder import MAX_BYTES

PROBE = "/healthz"  # has a thread of its own, to be answered while all others are busy
GRACE_SECONDS = 20.0
LOOK_SECONDS = 1.0
ACCEPTED_AT_ONCE = 64
HEAD_BYTES = 32_768
WAITING_BYTES = 67_108_864  # of an answer that wait for a slow reader, in a file, before the answering thread has to wait too
FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

log = structlog.get_logger(__name__)


class Listener(TcpWSGIServer):
    """Listens, and answers through the application until it is told to stop."""

    channel_class = Connection

    def __init__(self, application: WSGIApplication, sock: socket.socket, settings: Settings) -> None:
        """Takes the bound socket, which is listened on from now."""
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of every request that waits
        self.settings = settings
        self.sparing = SparingLog(log)
        self.reserve = ThreadedTaskDispatcher()
        self.reserve.set_thread_count(1)
        self._map_of_all: dict[int, wasyncore.dispatcher] = {}
        self.leaving: list[Connection] = []
        self._ends_at: float | None = None
        self._looked_at = 0.0
        place = (sock.family, sock.type, sock.proto, sock.getsockname())
        super().__init__(
            application, self._map_of_all, _sock=sock, adj=_adjust(settings, sock), sockinfo=place, bind_socket=False
        )

    @property
    def is_ending(self) -> bool:
        """Whether it has been told to stop."""
        return self._ends_at is not None

    def stop(self) -> None:
        """End when the requests that have come are answered, or after GRACE_SECONDS; asked again, at once. For any thread."""
        self._ends_at = time.monotonic() + (0 if self.is_ending else GRACE_SECONDS)
        self.pull_trigger()

    def run(self) -> None:
        """Serve until the end."""
        while not self.is_ending:
            self._turn()
        wasyncore.dispatcher.close(self)  # whoever connects from now on is told by the system
        while self.active_channels and time.monotonic() < (self._ends_at or 0.0):
            for connection in list(self.active_channels.values()):
                connection.end_soon()
            self._turn()
        for threads in (self.task_dispatcher, self.reserve):
            threads.shutdown(timeout=1)
        for connection in list(self.active_channels.values()):
            connection.handle_close()

    def _turn(self) -> None:
        """Wait for anything to happen, but not longer than until the next look at the clock."""
        wasyncore.poll2(LOOK_SECONDS, self._map_of_all)
        while self.leaving:
            self.leaving.pop().handle_close()
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self.sparing.catch_up()
            for connection in list(self.active_channels.values()):
                connection.attend(now)

    def add_task(self, task: Connection) -> None:
        """A request of the connection has come whole: a thread may take it."""
        request = task.requests[0]
        is_quick = request.error is not None or request.path == PROBE
        (self.reserve if is_quick else self.task_dispatcher).add_task(task)

    def readable(self) -> bool:
        """Whether to accept connections: always; _has_room limits them."""
        return True

    def handle_accept(self) -> None:
        """Somebody connects."""
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                accepted = self.accept()
            except OSError as error:
                self.sparing.warning("a connection cannot be accepted", reason=str(error))
                return
            if accepted is None:
                return
            self._let_in(*accepted)

    def _let_in(self, sock: socket.socket, address: tuple[str, int]) -> None:
        host = plain_address(address[0])
        if not self._has_room(host):
            self.sparing.warning("connection refused", address=host, reason="all that there may be are being answered")
            with suppress(OSError), sock:
                sock.setblocking(False)
                sock.send(FULL)
            return
        with suppress(OSError):  # it has gone already
            self.set_socket_options(sock)
        self.channel_class(self, sock, (host, address[1]), self.adj, map=self._map_of_all)

    def _has_room(self, host: str) -> bool:
        """Whether one more fits, if need be after closing another: of the same address at its limit, then of any."""
        staying = [connection for connection in self.active_channels.values() if not connection.will_close]
        if not is_proxy(host, self.settings):
            group = group_of(host)
            its_own = [connection for connection in staying if connection.group == group]
            if len(its_own) >= self.settings.max_connections_per_address:
                return _one_goes(its_own)
        return len(staying) < self.settings.max_connections or _one_goes(staying)


def _one_goes(crowd: Iterable[Connection]) -> bool:
    """Close the one that is worth least; False = all are being answered."""
    worst = min(
        (connection for connection in crowd if not connection.requests), key=lambda connection: connection.worth, default=None
    )
    if worst is not None:
        worst.give_up("others need its place")
    return worst is not None


def plain_address(host: str) -> str:
    """An IPv4 address as such, also where the socket speaks IPv6."""
    return host.removeprefix("::ffff:") if "." in host else host


def _adjust(settings: Settings, sock: socket.socket) -> Adjustments:
    adjustments = Adjustments(
        sockets=[sock],
        threads=settings.api_threads,
        server_name=sock.getsockname()[0],
        ident="",
        clear_untrusted_proxy_headers=False,  # api.edge.proxies does, under any server
        max_request_header_size=HEAD_BYTES,
        max_request_body_size=_with_frames(settings.max_body_bytes),
        inbuf_overflow=LARGE_BYTES,  # longer bodies wait in a file
        outbuf_high_watermark=WAITING_BYTES,
        connection_limit=sys.maxsize,  # ours close somebody instead
    )
    if settings.uploads_folder is not None:
        of_uploads = copy(adjustments)
        of_uploads.max_request_body_size = _with_frames(MAX_BYTES)
        setattr(adjustments, OF_UPLOADS, of_uploads)
    return adjustments


def _with_frames(size: int) -> int:
    """What a body may have: chunks count with their frames; then Flask's limit counts."""
    return size + size // 8 + 65_536
