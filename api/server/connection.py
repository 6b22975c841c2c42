"""One connection and its timeouts for each part of a request (against slowloris); a byte now and then does not extend them.

nothing yet ──▶ head ──▶ body ──▶ a thread answers ──▶ answer is taken ──▶ nothing yet …
10 s (then 75)  10 s     30 s *   no limit here        30 s *              * and a second more for each 16 KiB
"""

from __future__ import annotations

import ipaddress
import socket
import time
from contextlib import suppress
from http import HTTPStatus

from waitress.channel import HTTPChannel

from api.server.answering import Answer, RefusalAnswer
from api.server.memory import LARGE_BYTES, give_back
from api.server.parsing import Refusal, Request

HEAD_SECONDS = 10.0
IDLE_SECONDS = 75.0  # between two requests: longer than the 60 s for which common proxies keep connections
BODY_SECONDS = ANSWER_SECONDS = 30.0
MIN_BYTES_PER_SECOND = 16_384  # bytes in a second, beyond the seconds above
MAX_PIPELINED = 8  # requests that may wait on one connection; clients of today send one after the other
MAX_UPLOADS = 4  # at a time, of all connections: each may fill a file of 20 MB before anybody knows whose it is
LINGER_SECONDS = 2.0  # for reading and discarding after a refusal; closing at once would reset the connection and lose the answer


class Connection(HTTPChannel):
    """A connection of somebody who asks.

    group: the address that it is counted for.
    since: when the present part of a request began, by the monotonic clock.
    """

    task_class = Answer
    error_task_class = RefusalAnswer
    parser_class = Request
    request: Request | None  # that is being read
    will_close: bool
    close_when_flushed: bool
    is_refused = False
    lingers = False

    def __init__(self, server: object, sock: socket.socket, addr: tuple[str, int], adj: object, map: object = None) -> None:  # noqa: A002 - waitress' name
        self.since = time.monotonic()
        self.group = group_of(addr[0])
        self.has_asked = False
        self.sent = 0  # of the answer that is being taken
        super().__init__(server, sock, addr, adj, map)

    @property
    def worth(self) -> tuple[int, float]:
        """The order in which to keep connections: with an answer, with a head, without; of equal ones the newer."""
        has_sent_head = self.request is not None and self.request.headers_finished
        return (2 if self.total_outbufs_len else 1 if has_sent_head else 0), self.since

    def attend(self, now: float) -> None:
        """End what has taken too long."""
        waited = now - self.since
        if self.total_outbufs_len:
            if waited > ANSWER_SECONDS + self.sent / MIN_BYTES_PER_SECOND:
                self.give_up("the answer is not taken")
        elif not (self.requests or self.will_close):
            self._attend_reading(waited)

    def _attend_reading(self, waited: float) -> None:
        if self.lingers or self.request is None:
            longest = LINGER_SECONDS if self.lingers else IDLE_SECONDS if self.has_asked else HEAD_SECONDS
            if waited > longest:
                self._leave()  # without an answer: browsers open spare connections
        elif not self.request.headers_finished:
            if waited > HEAD_SECONDS:
                self._refuse(self.request, f"the head of the request has not come within {HEAD_SECONDS:g} seconds")
        elif waited > BODY_SECONDS + self.request.body_bytes_received / MIN_BYTES_PER_SECOND:
            self._refuse(self.request, f"the body comes more slowly than {MIN_BYTES_PER_SECOND} bytes a second")

    def end_soon(self) -> None:
        """The server shuts down: close, unless a whole head has come, which is answered."""
        is_reading = self.request is not None and self.request.headers_finished
        if not (self.requests or self.total_outbufs_len or self.lingers or is_reading):
            self._leave()

    def give_up(self, reason: str) -> None:
        """Close without an answer."""
        self.server.sparing.warning("connection closed", address=self.addr[0], reason=reason)
        self._leave()

    def _leave(self) -> None:
        """Have the loop close it after this turn; `will_close` alone would wait for a reader who takes what was sent before."""
        self.will_close = True
        self.server.leaving.append(self)

    def _refuse(self, request: Request, detail: str, status: HTTPStatus = HTTPStatus.REQUEST_TIMEOUT) -> None:
        """Let the request end here, with an answer."""
        with self.requests_lock:
            request.error = Refusal(status, detail)
            self.requests.append(request)
            self.request = None
            self.server.add_task(self)

    def received(self, data: bytes) -> bool:
        """Take in bytes; the time of a part begins with the part."""
        before = self._part()
        if self.request is None and not data.strip(b"\r\n"):
            return True  # empty lines between requests begin nothing
        is_taken: bool = super().received(data)
        if self._part() != before:
            self.since = time.monotonic()
            self._refuse_many_uploads()
        if len(self.requests) > MAX_PIPELINED:
            self._refuse_surplus()
        return is_taken

    @property
    def has_upload(self) -> bool:
        """Whether a file is coming, or waits to be taken."""
        coming = [self.request] if self.request is not None else []
        return any(request.is_upload for request in (*self.requests, *coming))

    def _refuse_many_uploads(self) -> None:
        """Refuse a file when so many others are coming that they would fill the disk."""
        if self.request is None or not self.request.is_upload:
            return
        if sum(connection.has_upload for connection in self.server.active_channels.values()) > MAX_UPLOADS:
            self._refuse(self.request, f"{MAX_UPLOADS} uploads are coming; try again", HTTPStatus.SERVICE_UNAVAILABLE)

    def _refuse_surplus(self) -> None:
        """Refuse pipelined requests beyond the limit and close: a client that pipelines hundreds would keep others waiting."""
        with self.requests_lock:
            for request in self.requests[MAX_PIPELINED:]:
                request.error = Refusal(HTTPStatus.BAD_REQUEST, f"more than {MAX_PIPELINED} requests wait on this connection")
            del self.requests[MAX_PIPELINED + 1 :]

    def service(self) -> None:
        """Answer one request, in a thread."""
        self.has_asked = True
        is_large = self.requests[0].body_bytes_received > LARGE_BYTES
        super().service()
        if is_large:
            give_back()
        self.since = time.monotonic()

    def write_soon(self, data: bytes) -> int:
        """Hand bytes of an answer to the loop; the timeout begins when nothing was waiting to be sent before."""
        if not self.total_outbufs_len:
            self.since, self.sent = time.monotonic(), 0
        written: int = super().write_soon(data)
        return written

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send, and count."""
        sent: int = super().send(data, do_close)
        self.sent += sent
        return sent

    def readable(self) -> bool:
        """Whether what comes is wanted; after a refusal it is, to be thrown away."""
        return self.lingers or super().readable()

    def handle_read(self) -> None:
        """Something has come."""
        if not self.lingers:
            super().handle_read()
            return
        with suppress(OSError):
            self.recv(65_536)  # closes at the end

    def handle_write(self) -> None:
        """Send what waits; then close, and after a refusal only our half of the connection."""
        if not (self.is_refused and self.close_when_flushed):
            super().handle_write()
            return
        self._flush_exception(self._flush_some)
        if self.will_close:
            self.handle_close()
        elif self.socket is not None and not self.total_outbufs_len:
            with suppress(OSError):  # gone meanwhile: the next read says so
                self.socket.shutdown(socket.SHUT_WR)
            self.close_when_flushed, self.lingers, self.since = False, True, time.monotonic()

    def handle_expt(self) -> None:
        """Close on TCP urgent data, which HTTP does not use, and which would wake the loop again and again."""
        self.handle_close()

    def _part(self) -> tuple[object, bool]:
        return self.request, self.request is not None and self.request.headers_finished


def group_of(host: str) -> str:
    """The address whose connections are counted together; of IPv6 the /64 network, which one host has for itself."""
    if ":" not in host:
        return host
    return str(ipaddress.ip_network((host.partition("%")[0], 64), strict=False))
