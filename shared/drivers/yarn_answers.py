"""What ResourceManagers are asked, and what an answer means that is none to the question."""

from __future__ import annotations

from urllib.parse import urlsplit

from shared.domain.identifiers import control_in, shown
from shared.drivers.bounded_http import PORTS, Answer
from shared.errors import CredentialsRefused, QueuecastError, SourceAway, SourceNotFound

MAX_WORDS = 200  # characters of what a server says
INFO, SCHEDULER, METRICS, NODES, CONFIGURATION = "info", "scheduler", "metrics", "nodes", "scheduler-conf"
JMX = "jmx"
_AWAY = {408, 425, 429}
_REFUSED = {
    401: "authentication failed",
    403: "authentication succeeded, but it is not allowed",
    407: "a proxy wants credentials",
}


def good(answer: Answer, path: str, address: str) -> Answer:
    """The answer, if it is one to the question; raises what its status means."""
    if answer.status != 200:
        raise _refusal(answer, path, host_of(address))
    return answer


def host_of(address: str) -> str:
    """Where it is, for messages."""
    parts = urlsplit(address)
    return f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}"


def _refusal(answer: Answer, path: str, host: str) -> QueuecastError:
    """The error that a status means."""
    status, said = answer.status, said_in(answer.content)
    if 300 <= status < 400:
        leads = shown(answer.headers.get("location", "no address"))
        return SourceAway(f"{host}: status {status}, as of one that is standby: it leads to {leads}, which is not followed")
    if status in _REFUSED:
        wants = answer.headers.get("www-authenticate", "")
        hint = '; it asks for Kerberos: `authentication = "kerberos"`' if wants.startswith("Negotiate") else ""
        return CredentialsRefused(f"{host}, {path}: {_REFUSED[status]}: {said}{hint}")
    if status in _AWAY or status >= 500:
        return SourceAway(f"{host}: status {status}: {said}")
    if path == CONFIGURATION:
        return SourceNotFound(f"{host}: its configuration cannot be had, as where it comes from a file: status {status}: {said}")
    if path in {NODES, JMX}:
        return SourceNotFound(f"{host}: {path} is not answered: status {status}: {said}")
    return SourceNotFound(f"no ResourceManager of YARN at {host}: status {status}: {said}")


def said_in(content: bytes) -> str:
    """A server's own words, of the exception that it names, or of a page."""
    text = content[: 16 * MAX_WORDS].decode(errors="replace")
    _, found, message = text.partition('"message":"')
    return in_short(message.partition('"')[0] if found else text)


def in_short(text: str) -> str:
    """Its first words, on one line."""
    plain = " ".join(text.split())[:MAX_WORDS]
    return plain if control_in(plain) is None else repr(plain)
