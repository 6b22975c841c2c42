"""Prometheus' HTTP API, which other servers speak, too. Only read: what is asked is made in worker/sources/prometheus.

An answer is taken up to a size and a time. A part of one is none: servers that collect from others say when some were away.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import quote, urlencode, urlsplit

from shared.domain.codec import Document
from shared.drivers.bounded_http import Answer, NotPlainError, TooLargeError, fetch
from shared.errors import CredentialsRefused, DataError, QueuecastError, SourceAway, SourceNotFound, UnreadableData

REACHED_SECONDS = 4.0
MAX_SECONDS = 120.0  # from the question to the last byte of its answer, which a server takes so long for at most
MAX_MIB = 64
MAX_WORDS = 300  # characters of what a server says
WHOLE = {  # what others than Prometheus are to leave alone; it passes over parameters that it does not know
    "partial_response": "false",  # Thanos: no part of an answer when one of its stores is away
    "max_source_resolution": "0s",  # Thanos: samples, no averages of them
    "nocache": "1",  # VictoriaMetrics: steps end when they are asked for, and samples that came late are seen
}
_AWAY = {408, 425, 429, 500, 502, 503, 504}  # 503 is also a query that took too long
_REFUSED = {
    401: "authentication failed",
    403: "authentication succeeded, but it is not allowed",
    407: "a proxy wants credentials",
}
_ANNOTATION = "PromQL"  # begins what a server says of a query; all else says that something is missing in the answer

Parameters = Mapping[str, str | Sequence[str]]
Sample = tuple[float, float]  # seconds since 1970, and the value


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusServer:
    """One server and how it knows us.

    url: of the API's root, `/api/v1` not in it. ca_file: who vouches for its certificate; None = whom the system trusts.
    """

    url: str
    authorization: str | None = field(default=None, repr=False)  # a traceback or a log line may show the rest
    ca_file: str | None = None

    @property
    def host(self) -> str:
        """Where it is, for messages: nothing of a URL that may be secret."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of an answer: its labels without its name, and its samples by time."""

    labels: Mapping[str, str]
    samples: Sequence[Sample]


def authorization(token: str | None, username: str | None, password: str | None) -> str | None:
    """The header's value that says who we are; None = we do not."""
    if token is not None:
        return f"Bearer {token}"
    if username is None:
        return None
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"


def reach(server: PrometheusServer) -> bool:
    """Whether windows are open at their beginning; told within 4 s, as a frozen server would take a query and keep it.

    In (0, 60] there are two moments 30 s apart, in [0, 60] three: Prometheus 3 counts the former, earlier ones the latter.

    Raises:
        CredentialsRefused, SourceAway, SourceNotFound, UnreadableData.
    """
    moments = {"query": "count_over_time(vector(1)[1m:30s])", "time": "60"}
    data = ask(server, "query", moments, seconds=REACHED_SECONDS)
    return [value for series in series_in(data) for _, value in series.samples] == [2.0]


def names(server: PrometheusServer, label: str, parameters: Parameters | None = None) -> list[str]:
    """The values of a label; `__name__` is that of a metric's name. Raises as `reach` does."""
    return listed(ask(server, f"label/{quote(label, safe='')}/values", parameters or {}, method="GET"))


def listed(data: object) -> list[str]:
    """The names in an answer."""
    return [str(name) for name in data] if isinstance(data, list) else []


def series_in(answer: object) -> list[Series]:
    """What an answer to a query has; raises UnreadableData for what is no number, and no answer."""
    try:
        return [_series(each) for each in answer["result"]]  # type: ignore[index]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableData(f"the answer to a query is none of Prometheus': {type(error).__name__}") from error


def _series(given: Document) -> Series:
    if "histograms" in given or "histogram" in given:
        raise UnreadableData("it holds native histograms; accepted are plain numbers")
    labels = {name: str(text) for name, text in given["metric"].items() if name != "__name__"}
    samples = given["values"] if "values" in given else [given["value"]]
    return Series(labels=labels, samples=[(float(at), float(text)) for at, text in samples])


def ask(
    server: PrometheusServer, path: str, parameters: Parameters, *, method: str = "POST", seconds: float | None = None
) -> object:
    """What an endpoint of `/api/v1` answers: its `data`; raises as `reach` does.

    Args:
        seconds: all that it may take, to the last byte of its answer.
    """
    form, is_post = urlencode(WHOLE | {**parameters}, doseq=True), method == "POST"
    headers = {"Accept": "application/json"}
    headers |= {"Content-Type": "application/x-www-form-urlencoded"} if is_post else {}
    headers |= {"Authorization": server.authorization} if server.authorization else {}
    try:
        answer = fetch(
            f"{server.url}/api/v1/{path}" + ("" if is_post else f"?{form}"),
            headers,
            body=form.encode() if is_post else None,
            seconds=seconds or MAX_SECONDS,
            max_bytes=MAX_MIB << 20,
            ca_file=server.ca_file,
        )
    except (OSError, HTTPException) as error:
        raise SourceAway(f"{type(error).__name__} at {server.host}: {_short(error)}") from error
    except TooLargeError as error:
        raise UnreadableData(f"its answer: {error}: ask for a shorter history, or longer steps") from error
    except NotPlainError as error:
        raise UnreadableData(f"its answer: {error}") from error
    return _data(answer, server)


def _data(answer: Answer, server: PrometheusServer) -> object:
    document = _object(answer.content)
    words = _words(document, answer.content, answer.status)
    if 300 <= answer.status < 400:
        raise SourceNotFound(f"{server.host} sends to another address, which is not followed: name the one where it leads")
    if answer.status >= 400:
        raise _refusal(answer.status, words, document, server)
    if document is None or document.get("status") != "success":
        raise SourceNotFound(f"what answers at {server.host} is no Prometheus: {words}")
    missing = [text for text in document.get("warnings") or () if not str(text).startswith(_ANNOTATION)]
    if missing or document.get("isPartial"):
        raise SourceAway(f"a part of the answer is missing: {_short(missing[0] if missing else 'isPartial')}")
    return document.get("data")


def _refusal(status: int, words: str, document: Document | None, server: PrometheusServer) -> QueuecastError:
    """The error that a status means."""
    if status in _REFUSED:
        return CredentialsRefused(f"{_REFUSED[status]}: {words}")
    if status in _AWAY:
        return SourceAway(f"status {status} at {server.host}: {words}")
    kind: type[DataError] = UnreadableData if document and "errorType" in document else SourceNotFound
    return kind(words if kind is UnreadableData else f"no API of Prometheus at {server.host}: status {status}: {words}")


def _object(content: bytes) -> Document | None:
    """An answer's content; None for what is no JSON object: a proxy's login page has the status of success, too."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _words(document: Document | None, content: bytes, status: int) -> str:
    """The server's own, else what there is."""
    text = str((document or {}).get("error") or content[:MAX_WORDS].decode(errors="replace"))
    return _short(text) or f"status {status}"


def _short(text: object) -> str:
    return " ".join(str(text).split())[:MAX_WORDS]
