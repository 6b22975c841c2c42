"""Answers of the application, the server's own refusals as problem details, and the log line of each."""

from __future__ import annotations

import time
from http import HTTPStatus
from secrets import token_hex

import structlog
from waitress.task import ErrorTask, WSGITask

from api.edge.problems import MEDIA_TYPE, Problem
from api.edge.request_checks import SECURITY_HEADERS
from api.ops.metrics import ELSEWHERE
from shared.telemetry.metrics import HTTP_REQUESTS

log = structlog.get_logger(__name__)

PROBES = frozenset({"/healthz", "/readyz"})
SCRAPES = frozenset({"/metrics"})


class Answer(WSGITask):
    """The application's answer to one request; runs in a thread of its own."""

    def service(self) -> None:
        """Answer, and write the access log line; without the query, which may hold names of people."""
        began = time.perf_counter()
        try:
            super().service()
        finally:
            (log.debug if self._is_no_news() else log.info)(
                "request",
                method=self.request.command,
                path=self.request.path,
                status=int(self.status.partition(" ")[0]),
                seconds=round(time.perf_counter() - began, 3),
                request_id=dict(self.response_headers).get("X-Request-Id"),
            )

    def _is_no_news(self) -> bool:
        """Who watches asks every few seconds: a probe (an outage is told by itself), a scrape that is answered, nothing new."""
        if self.request.path in SCRAPES:
            return str(self.status) < "400"
        return self.request.path in PROBES or self.status.startswith("304")

    def build_response_header(self) -> bytes:
        """While the server shuts down, close the connection after the answer."""
        if self.channel.server.is_ending:
            self.set_close_on_finish()
        head: bytes = super().build_response_header()
        return head


class RefusalAnswer(ErrorTask):
    """The answer to an invalid or too slow request; the connection is closed after it."""

    def execute(self) -> None:
        """Say why, to whoever asked and in the log."""
        error, request_id = self.request.error, token_hex(8)
        status, detail = HTTPStatus(error.code), self._detail()
        problem = Problem(
            type="about:blank", title=status.phrase, status=status, detail=detail, instance=self.request.path or "/"
        )
        body = problem.model_dump_json(exclude_none=True).encode()
        self.status = f"{status.value} {status.phrase}"
        self.response_headers += [("Content-Type", MEDIA_TYPE), ("X-Request-ID", request_id), *SECURITY_HEADERS.items()]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.channel.is_refused = True
        self.write(body)
        HTTP_REQUESTS.labels("other", ELSEWHERE, status.value).inc()
        self.channel.server.sparing.warning(
            "request refused", address=self.channel.addr[0], status=status.value, reason=detail, request_id=request_id
        )

    def _detail(self) -> str:
        """The reason; waitress' messages are cut where they begin to quote the request, which may hold secrets."""
        if self.request.error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return f"the body is larger than the accepted {self.channel.server.settings.max_body_bytes} bytes"
        if self.request.error.code == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE and "max_header" in self.request.error.body:
            return f"the head of the request is larger than the accepted {self.channel.adj.max_request_header_size} bytes"
        return str(self.request.error.body).partition('"')[0].strip()
