"""InfluxDB, spoken to in InfluxQL through /query, which every version of the server has.

HTTP 200 is no success: errors stand inside the answer. CSV would hide them, so only JSON is asked for. Names go in as quoted
identifiers, checked against the patterns of shared/domain/identifiers.py; values travel as parameters, moments and lengths as
integers.
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import urllib3

from shared.domain.codec import Document
from shared.domain.identifiers import is_column, is_place, is_policy
from shared.errors import CredentialsRefused, DataError, InvalidSettings, ServiceError

LIMITS = urllib3.Timeout(connect=3, read=30)
QUERY_LIMITS = urllib3.Timeout(connect=3, read=60)  # nothing comes before the answer is complete
REACHED_LIMITS = urllib3.Timeout(total=4)
NO_URL = "the InfluxDB URL is not accepted; accepted is http://host:port"
Row = tuple[Any, ...]  # its values by the columns of its series
_RETRYABLE = {429, 500, 502, 503, 504}
_TOO_SLOW = "query-timeout limit exceeded"
_NO_POLICY = "retention policy not found"
_NO_DATABASE = re.compile(r"\b(database|bucket)\b.*not found")  # there is no code for it: each version says it in its own words


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxServer:
    """One server and how it knows us; `token` is `user:password` for version 1."""

    url: str
    version: str = "2"
    token: str | None = field(default=None, repr=False)  # a traceback or a log line may show the rest
    org: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """How we say who we are: version 1 answers 401 to a token, versions 2 and 3 want one."""
        if self.token is None:
            return {}
        if self.version == "1":
            return {"Authorization": f"Basic {b64encode(self.token.encode()).decode()}"}
        return {"Authorization": f"Token {self.token}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of an answer: its tags, and rows of values by column."""

    name: str
    tags: Mapping[str, str]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTypes:
    """The errors to raise: for a server that is away, for what its owner has to mend, and for a database that is missing."""

    away: type[ServiceError]
    refused: type[DataError]
    missing: type[DataError] | None = None  # None = like whatever else is refused


def influx_server(url: str, *, version: str, token: str | None, org: str | None) -> InfluxServer:
    """The server at this URL; raises InvalidSettings for one that is not usable, and says nothing of what may be secret in it."""
    url = url.rstrip("/")
    try:
        parts = urllib3.util.parse_url(url)
    except urllib3.exceptions.LocationParseError:
        raise InvalidSettings(NO_URL) from None
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise InvalidSettings(NO_URL)
    if parts.auth:  # nobody would send them, and the server would call it a wrong password
        raise InvalidSettings("the InfluxDB URL has credentials in it; they belong into the token: user:password for version 1")
    return InfluxServer(url=url, version=version, token=token, org=org)


def query(
    server: InfluxServer, statement: str, errors: ErrorTypes, *, database: str | None = None, **values: str | float
) -> list[Series]:
    """Run one statement.

    Args:
        statement: InfluxQL; every value in it is a `$name`, every name has gone through `quoted_field` or `quoted_place`.
        errors: those that are raised.
        database: that the statement is about.
        values: what the `$name`s stand for.

    Raises:
        CredentialsRefused, and `errors`.
    """
    form = {"q": statement, "epoch": "s", "params": json.dumps(values)} | ({"db": database} if database else {})
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    answer = request(server, "POST", "/query", errors, body=urlencode(form).encode(), headers=headers, limits=QUERY_LIMITS)
    return list(_series(answer, errors))


def names_in(answer: Iterable[Series], column: int = 0) -> list[str]:
    """The names that a SHOW statement has listed."""
    return [str(row[column]) for series in answer for row in series.rows]


def reach(server: InfluxServer, errors: ErrorTypes) -> None:
    """Whether anything answers there, told within 4 s; a frozen server would take a query and keep it for a minute.

    It says nothing about credentials: version 1 answers whoever asks.
    """
    request(server, "GET", "/ping", errors, limits=REACHED_LIMITS, accepted=range(400, 500))


def request(
    server: InfluxServer,
    method: str,
    path: str,
    errors: ErrorTypes,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    retries: urllib3.Retry | bool = False,
    limits: urllib3.Timeout = LIMITS,
    accepted: Collection[int] = (),
) -> urllib3.BaseHTTPResponse:
    """One call over HTTP; raises as `query` does, but for the statuses that the caller accepts."""
    all_headers, url = server.headers | dict(headers or {}), f"{server.url}{path}"
    try:
        answer = _pool(os.getpid()).request(method, url, body=body, headers=all_headers, retries=retries, timeout=limits)
    except urllib3.exceptions.HTTPError as error:
        raise errors.away(f"{type(error).__name__} at {host_of(server)}") from error
    if answer.status >= 400 and answer.status not in accepted:
        raise refusal(answer.status, words_of(answer), errors)
    return answer


def refusal(status: int, message: str, errors: ErrorTypes) -> Exception:
    """The error that a status and the server's own words mean."""
    if status == 401:
        return CredentialsRefused(f"authentication failed: {message}")
    if status == 403:
        return CredentialsRefused(f"authentication succeeded, but it is not allowed: {message}")
    if _NO_POLICY in message:  # version 1 calls it an error of its own
        return (errors.missing or errors.refused)(message)
    if _TOO_SLOW in message:
        return errors.away(f"too slow: {message}")
    if status in _RETRYABLE:
        return errors.away(f"status {status}: {message}")
    return (errors.missing or errors.refused)(message) if _NO_DATABASE.search(message) else errors.refused(message)


def quoted_field(name: str) -> str:
    """A column as an identifier; raises InvalidSettings for what is no plain name."""
    return _quoted(name, is_accepted=is_column(name))


def quoted_place(name: str) -> str:
    """A measurement or database as an identifier; raises InvalidSettings for what is no plain name."""
    return _quoted(name, is_accepted=is_place(name))


def quoted_measurement(name: str, policy: str | None) -> str:
    """A measurement as a statement reads it: in this retention policy, None = in the database's default one."""
    own = quoted_place(name)
    return own if policy is None else f"{_quoted(policy, is_accepted=is_policy(policy))}.{own}"


def _quoted(name: str, *, is_accepted: bool) -> str:
    if not is_accepted:
        raise InvalidSettings(f"{name[:60]!r} is no name that InfluxDB is asked for")
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def words_of(answer: urllib3.BaseHTTPResponse) -> str:
    """The server's own words, whichever version says them."""
    document = _object(answer) or {}
    text = answer.data.decode(errors="replace").strip()[:200]
    return str(document.get("error") or document.get("message") or text or f"status {answer.status}")


def host_of(server: InfluxServer) -> str:
    """Where it is, for messages: nothing of a URL that may be secret."""
    parts = urllib3.util.parse_url(server.url)
    return f"{parts.host}:{parts.port}" if parts.port else str(parts.host)


def _series(answer: urllib3.BaseHTTPResponse, errors: ErrorTypes) -> Iterator[Series]:
    document = _object(answer)
    if document is None:
        raise errors.refused(f"what answers is no InfluxDB: {words_of(answer)}")
    for result in (document, *document.get("results", ())):
        if "error" in result:
            raise refusal(answer.status, result["error"], errors)
    for result in document.get("results", ()):
        for series in result.get("series", ()):
            if series.get("partial") or result.get("partial"):
                raise errors.refused("the server cut its answer short: its `max-row-limit` is lower than the rows there are")
            rows = tuple(map(tuple, series.get("values", ())))
            yield Series(name=series.get("name", ""), tags=series.get("tags", {}), columns=tuple(series["columns"]), rows=rows)


def _object(answer: urllib3.BaseHTTPResponse) -> Document | None:
    """The content of an answer; None for what is no JSON object: a proxy's login page has the status of success, too."""
    try:
        document = json.loads(answer.data)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def close_sockets() -> None:
    """Close the sockets of this process that nobody is using."""
    _pool(os.getpid()).clear()


@lru_cache(maxsize=2)
def _pool(_process: int) -> urllib3.PoolManager:
    """One per process: sockets must not cross a fork."""
    return urllib3.PoolManager(timeout=LIMITS, retries=False)
