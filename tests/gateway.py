"""A gateway in front of a real server, which changes what is asked of it, or answers by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import urllib3

Answer = tuple[int, Mapping[str, str], bytes]


@dataclass
class Gateway:
    """Where it listens, and what has come along: method, path and headers of each question."""

    url: str = ""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


def passed_on(url: str, change: Callable[[str], str] = str) -> Callable[[str, str, bytes], Answer]:
    """What the server at this URL answers to a question whose path and body are changed."""

    def answer(method: str, path: str, body: bytes) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        sent = change(body.decode()).encode() if body else None
        found = urllib3.request(method, f"{url}{change(path)}", body=sent, headers=headers, retries=False, timeout=30)
        return found.status, {"Content-Type": "application/json"}, found.data

    return answer


@contextmanager
def gateway(answer: Callable[[str, str, bytes], Answer]) -> Iterator[Gateway]:
    """It answers what `answer` makes of method, path and body."""
    seen = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.asked.append((self.command, self.path, dict(self.headers)))
            status, headers, content = answer(self.command, self.path, body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        seen.url = f"http://127.0.0.1:{server.server_port}"
        yield seen
        server.shutdown()
        thread.join()
