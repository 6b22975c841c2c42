"""A client of the HTTP API, for the command line; it also waits for jobs. Every call has a time limit.

Answers are JSON documents as the service gave them: their fields are those of the OpenAPI document.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from shared import errors
from shared.domain.codec import Document
from shared.domain.job_states import JobState
from shared.domain.outgoing import in_path
from shared.errors import (
    AccessError,
    ApiAway,
    Conflict,
    InvalidRequest,
    MalformedRequest,
    NotAuthenticated,
    NotFound,
    QueuecastError,
    ServiceError,
    TooManyRequests,
    VersionDiffers,
    VersionMissing,
)

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

CONNECT_SECONDS = 3.0
OUTAGE_SECONDS = 60.0  # how long a wait outlives a service that is away: a restart must not end it
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, PAUSE_GROWTH = 0.2, 5.0, 1.3
UNCHANGED = 304
MAX_LINES = 20  # problems of one request
NOTHING: Mapping[str, str] = MappingProxyType({})
_BY_STATUS: dict[int, type[QueuecastError]] = {
    400: MalformedRequest,
    401: NotAuthenticated,
    403: AccessError,
    404: NotFound,
    409: Conflict,
    412: VersionDiffers,
    428: VersionMissing,
    429: TooManyRequests,
    502: ApiAway,
    503: ApiAway,
    504: ApiAway,
}


class Client:
    """One service.

    Args:
        base_url: where it listens, `http://host:port`; a path in front of `/v1` is kept.
        patience_seconds: how long an answer is waited for; the service answers in two, or says 503.
        token: the secret of a token, for a service that wants one.

    A URL that is none raises InvalidRequest; every method raises the error that the service told, or ApiAway without an answer.
    """

    def __init__(self, base_url: str, *, patience_seconds: float = 30.0, token: str | None = None) -> None:
        if not _is_address(base_url):
            raise InvalidRequest(f"found the URL {base_url!r}, accepted is http://host:port")
        self.base_url = base_url.rstrip("/")
        self._token = token
        self._kept: tuple[str, str, Document] | None = None  # URL, ETag and document of the last answer to a question
        from urllib3 import PoolManager, Timeout  # which no help needs

        self._pool = PoolManager(
            timeout=Timeout(connect=min(CONNECT_SECONDS, patience_seconds), read=patience_seconds), retries=False
        )

    def get(self, *path: str, **query: object) -> Document:
        """What is shown at this path below /v1, whose parts may hold any characters; a query that is None is left out."""
        return self._call("GET", *path, query=query)

    def post(self, *path: str, body: str | bytes | Document | None = None) -> Document:
        """What comes of it; a body that is JSON text already is sent as it stands."""
        return self._call("POST", *path, body=json.dumps(body) if isinstance(body, dict) else body)

    def put(self, *path: str, body: Document, version: int, **query: object) -> Document:
        """What is there from now on, in the place of this version; raises VersionDiffers when that is not what is there."""
        return self._call("PUT", *path, query=query, body=json.dumps(body), headers={"If-Match": f'"{version}"'})

    def read(self, *path: str, **query: object) -> tuple[bytes, str]:
        """What is shown there as it is, and where it goes on, "" = nowhere."""
        answer = self._answer("GET", *path, query=query, headers={"Accept": "*/*"})
        following = re.match(r'<\?([^>]*)>; rel="next"', answer.headers.get("Link", ""))
        return answer.data, following[1] if following else ""

    def delete(self, *path: str, **query: object) -> None:
        """Remove what is shown there."""
        self._call("DELETE", *path, query=query)

    def wait(self, job_id: str, timeout_seconds: float, on_progress: Callable[[Document], None] = lambda _: None) -> Document:
        """Wait until the job has ended, and give it.

        Args:
            on_progress: is told the job every time it was asked for.

        Raises:
            TimeoutError: it has not ended in time; it goes on all the same.
            ServiceError, TooManyRequests: nothing else was heard for OUTAGE_SECONDS.
        """
        begin = answered_at = time.monotonic()
        job, pause = self.get("jobs", job_id), FIRST_PAUSE_SECONDS
        while True:
            on_progress(job)
            if JobState(job["state"]).is_terminal:
                return job
            left = timeout_seconds - (time.monotonic() - begin)
            if left <= 0:
                raise TimeoutError(
                    f"job {job_id} has not ended within {timeout_seconds:g} s; `queuecast jobs watch {job_id}` waits on"
                )
            time.sleep(min(pause, left))
            pause = min(pause * PAUSE_GROWTH, MAX_PAUSE_SECONDS)
            try:
                job, answered_at = self.get("jobs", job_id), time.monotonic()
            except (ServiceError, TooManyRequests):
                if time.monotonic() - answered_at > OUTAGE_SECONDS:
                    raise

    def _call(
        self,
        method: str,
        *path: str,
        query: Mapping[str, object] = NOTHING,
        body: str | bytes | None = None,
        headers: Mapping[str, str] = NOTHING,
    ) -> Document:
        url = self._url(path, query)
        kept = self._kept if self._kept and method == "GET" and self._kept[0] == url else None
        known = {"If-None-Match": kept[1]} if kept else {}
        answer = self._answer(method, *path, query=query, body=body, headers={**headers, **known})
        if kept and answer.status == UNCHANGED:
            return kept[2]
        document = {} if answer.status == 204 else _document(answer)
        if document is None:
            raise ApiAway(f"what answers with status {answer.status} is no Queuecast", url=self.base_url)
        if method == "GET" and "ETag" in answer.headers:
            self._kept = url, answer.headers["ETag"], document
        return document

    def _answer(
        self,
        method: str,
        *path: str,
        query: Mapping[str, object],
        body: str | bytes | None = None,
        headers: Mapping[str, str] = NOTHING,
    ) -> BaseHTTPResponse:
        """The answer, which is no refusal."""
        from urllib3.exceptions import HTTPError

        try:
            answer = self._pool.request(
                method, self._url(path, query), body=body, headers=self._headers(has_body=body is not None) | dict(headers)
            )
        except HTTPError as error:
            raise ApiAway(f"{error}; is `queuecast up` running?", url=self.base_url) from error
        if answer.status >= 400:
            raise _error_of(answer.status, _document(answer) or {})
        return answer

    def _url(self, path: tuple[str, ...], query: Mapping[str, object]) -> str:
        url = "/".join((self.base_url, "v1", *(in_path(part, safe="") for part in path)))
        parameters = urlencode({name: value for name, value in query.items() if value is not None})
        return f"{url}?{parameters}" if parameters else url

    def _headers(self, *, has_body: bool) -> dict[str, str]:
        typed = {"Content-Type": "application/json"} if has_body else {}
        known = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return {"Accept": "application/json"} | typed | known


def _is_address(url: str) -> bool:
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    try:
        parts = parse_url(url)
    except LocationParseError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.host)


def _document(answer: BaseHTTPResponse) -> Document | None:
    """The JSON object of an answer; None when it is something else."""
    try:
        document = json.loads(answer.data)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _error_of(status: int, problem: Document) -> QueuecastError:
    """The error that a problem document (RFC 9457) describes: its type names our class, else the status decides.

    >>> _error_of(422, {"type": "urn:queuecast:unknown-model", "detail": "No model has this name: found 'x'"})
    UnknownModel("No model has this name: found 'x'")
    """
    name = str(problem.get("type", "")).rpartition(":")[2].title().replace("-", "")
    family = getattr(errors, name, None) or _BY_STATUS.get(status, InvalidRequest if status < 500 else QueuecastError)
    detail = str(problem.get("detail", f"status {status}"))
    if (lines := _lines(problem)) or not detail.startswith(family().headline):
        return family(lines or detail)
    return family.told(detail)


def _lines(problem: Document) -> str:
    """Several problems of one request, those that fit on a screen; "" where the detail says all."""
    wrong_fields = problem.get("errors") or []
    if len(wrong_fields) < 2:
        return ""
    lines = [": ".join(filter(None, (".".join(map(str, wrong["loc"])), wrong["msg"]))) for wrong in wrong_fields]
    if len(lines) > MAX_LINES:
        lines = [*lines[:MAX_LINES], f"and {_uncounted(lines[-1]) + len(lines) - MAX_LINES} more problems"]
    return "; ".join(lines)


def _uncounted(last: str) -> int:
    """How many problems the service itself has left out, and says so in its last line, less that line."""
    more = re.fullmatch("and ([0-9]+) more problems", last)
    return int(more[1]) - 1 if more else 0
