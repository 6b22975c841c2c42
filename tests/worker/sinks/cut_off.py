"""A proxy before an influxd that is cut off after some requests: what a client sees that is killed between any two of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from itertools import count

import urllib3

from tests.parrot import answering


@contextmanager
def cut_off(backend: str, after: int, *, is_heard: bool) -> Iterator[str]:
    """Where the proxy listens.

    Args:
        after: requests that are answered. is_heard: whether the server hears the next one, whose answer is lost.
    """
    numbers = count()

    def pass_on(request: BaseHTTPRequestHandler, body: bytes) -> None:
        number = next(numbers)
        if number < after or (number == after and is_heard):
            kind = {"Content-Type": request.headers.get("Content-Type", "text/plain")}
            answer = urllib3.request("POST", f"{backend}{request.path}", body=body, headers=kind, retries=False)
        if number >= after:
            request.close_connection = True
            return
        request.send_response(answer.status)
        request.send_header("Content-Length", str(len(answer.data)))
        request.end_headers()
        request.wfile.write(answer.data)

    with answering(pass_on) as url:
        yield url
