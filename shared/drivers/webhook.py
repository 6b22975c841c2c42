"""One POST to a receiver, signed as Standard Webhooks 1.0 has it (webhook-id, webhook-timestamp, webhook-signature)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from threading import Thread, Timer

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse

from shared.domain.codec import Document

CONNECT_SECONDS, READ_SECONDS = 2.0, 5.0
MAX_TOLD = 200  # characters of what went wrong


def post(url: str, secret: str, notice_id: str, document: Document, now: datetime) -> str:
    """Send the document; "" = it was taken, else what went wrong, without the address. A redirect is not followed.

    It ends in time though the search for the host's address may not: that has no limit but the resolver's own, and goes on by
    itself. A notice that is taken so late is sent again.

    Args:
        secret: key of the signature, an HMAC-SHA256 of `id.timestamp.body`.
        notice_id: the same for every try, by which a receiver knows what it has.
    """
    body, timestamp = json.dumps(document, sort_keys=True), str(int(now.timestamp()))
    signed = hmac.new(secret.encode(), f"{notice_id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "queuecast",
        "webhook-id": notice_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
    outcome: Future[str] = Future()
    Thread(target=_into, args=(outcome, partial(_sent, url, body, headers)), daemon=True, name="webhook").start()
    try:
        return outcome.result(CONNECT_SECONDS + READ_SECONDS)
    except TimeoutError:
        return "no answer came in time; where the name of its host is not found soon, that is why"


def _into(outcome: Future[str], work: Callable[[], str]) -> None:
    try:
        outcome.set_result(work())
    except Exception as error:  # noqa: BLE001 - whoever waits raises it
        outcome.set_exception(error)


def _sent(url: str, body: str, headers: dict[str, str]) -> str:
    limits = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    try:
        answer = _POOLS.request("POST", url, body=body, headers=headers, timeout=limits, retries=False, preload_content=False)
    except urllib3.exceptions.HTTPError as error:
        return type(error).__name__
    answer.close()  # what else it says, however much that is, nobody reads
    return "" if 200 <= answer.status < 300 else f"it answered with status {answer.status}"[:MAX_TOLD]


class _Http(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3 itself does
        """The head of the answer, as `_at_most` lets it come."""
        with _at_most(READ_SECONDS, self.sock):
            return super().getresponse()


class _Https(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3 itself does
        """The head of the answer, as `_at_most` lets it come."""
        with _at_most(READ_SECONDS, self.sock):
            return super().getresponse()


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


_POOLS = urllib3.PoolManager()
_POOLS.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


@contextmanager
def _at_most(seconds: float, sock: socket.socket | None) -> Iterator[None]:
    """Ends the connection then: a timeout of reading is one of each read, and who sends a byte now and then never meets it."""
    if sock is None:
        yield
        return
    timer = Timer(seconds, partial(_end, sock))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(sock: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not that of TLS, which others read from meanwhile
