"""The URL of a Redis or Valkey server: one server, a unix socket, or the master that Sentinels know; with or without TLS.

Celery, kombu, redis-py and `limits` each read such URLs in a way of their own. Here they are read once; what the libraries get
are parts. What is wrong is a ValueError that names what is accepted, and never the URL, which may hold a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

ACCEPTED = (
    "redis://host:port/0, rediss://host:port/0 (TLS), redis+socket:///path?virtual_host=0, "
    "or sentinel://host1:26379,host2:26379/0?master=NAME"
)
TLS_OPTIONS = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
SENTINEL_OPTIONS = ("master", "tls", "sentinel_username", "sentinel_password")
PORTS = {"redis": 6379, "rediss": 6379, "sentinel": 26379}
OPTIONS = {"redis": (), "rediss": TLS_OPTIONS, "redis+socket": ("virtual_host",), "sentinel": (*SENTINEL_OPTIONS, *TLS_OPTIONS)}
_YES_NO = {"true": True, "false": False}
_VERIFYING = ("required", "optional", "none")  # as redis-py writes them; Celery and Python's ssl say CERT_REQUIRED …


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisPlace:
    """One database of one server, and how it is reached."""

    hosts: tuple[tuple[str, int], ...] = ()  # of the server, or of the Sentinels that know where it is
    path: str = ""  # of the unix socket, where there is one
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Mapping[str, str | bool] | None = None  # redis-py's options, defaults left out; None = no TLS
    master: str = ""  # what the Sentinels call the server; "" = there are none
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> Self:
        """What the URL says; raises ValueError with what is accepted."""
        parts = _split(url)
        options = _options(parts)
        user, password = _credentials(parts)
        is_socket, is_sentinel = parts.scheme == "redis+socket", parts.scheme == "sentinel"
        if is_sentinel and not options.get("master"):
            raise ValueError(f"the Sentinels must be told which master; accepted is {ACCEPTED}")
        return cls(
            hosts=() if is_socket else _hosts(parts),
            path=unquote(parts.path) if is_socket else "",
            database=_database(parts, options),
            username=user,
            password=password,
            tls=_tls(parts.scheme, options),
            master=options.get("master", ""),
            sentinel_username=options.get("sentinel_username"),
            sentinel_password=options.get("sentinel_password"),
        )

    def beside(self, offset: int) -> Self:
        """The database `offset` places further, on the same server."""
        return replace(self, database=self.database + offset)

    @property
    def address(self) -> str:
        """Where it is, for people: without credentials."""
        return self.path or ", ".join(f"{host}:{port}" for host, port in self.hosts)

    def celery_url(self) -> str:
        """As Celery and kombu write it; TLS and the master's name travel in settings of their own."""
        user = quote(self.username or "", safe="")
        credentials = f"{user}:{quote(self.password, safe='')}@" if self.password else f"{user}@" if user else ""
        if self.path:
            return f"redis+socket://{credentials}{quote(self.path)}?virtual_host={self.database}"
        scheme = "sentinel" if self.master else "redis" if self.tls is None else "rediss"
        bracketed = [(f"[{host}]" if ":" in host else host, port) for host, port in self.hosts]
        return ";".join(f"{scheme}://{credentials}{host}:{port}/{self.database}" for host, port in bracketed)


def _split(url: str) -> SplitResult:
    """The URL's parts; only those whose scheme is known."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"it is no URL; accepted is {ACCEPTED}") from None
    if parts.scheme not in OPTIONS or parts.fragment:
        raise ValueError(f"it has scheme {parts.scheme!r}; accepted is {ACCEPTED}")
    return parts


def _options(parts: SplitResult) -> dict[str, str]:
    accepted = OPTIONS[parts.scheme]
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(options.keys() - set(accepted))
    if not unknown:
        return options
    names = f"{', '.join(unknown)} in the URL of scheme {parts.scheme!r}"
    if parts.scheme == "redis" and set(unknown) <= set(TLS_OPTIONS):
        raise ValueError(f"{names}: with TLS the scheme is rediss://")
    raise ValueError(f"{names}: accepted {'are ' + ', '.join(accepted) if accepted else 'is none'}")


def _credentials(parts: SplitResult) -> tuple[str | None, str | None]:
    """User and password; either may hold any character, percent-encoded."""
    credentials, _, _ = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    return unquote(user) or None, unquote(password) or None


def _hosts(parts: SplitResult) -> tuple[tuple[str, int], ...]:
    """Host and port of each address; several are Sentinels, separated by commas."""
    addresses = parts.netloc.rpartition("@")[2].split(",")
    hosts = []
    for address in addresses:
        try:
            one = urlsplit(f"//{address}")
            hosts.append((one.hostname or "", one.port or PORTS[parts.scheme]))
        except ValueError:
            raise ValueError(f"a host or a port of it is none; accepted is {ACCEPTED}") from None
    if not all(host for host, _ in hosts) or (len(hosts) > 1 and parts.scheme != "sentinel"):
        raise ValueError(f"it names {'no host' if len(hosts) == 1 else 'several hosts'}; accepted is {ACCEPTED}")
    return tuple(hosts)


def _database(parts: SplitResult, options: Mapping[str, str]) -> int:
    is_socket = parts.scheme == "redis+socket"
    if is_socket and not parts.path.strip("/"):
        raise ValueError(f"it names no socket; accepted is {ACCEPTED}")
    named = options.get("virtual_host", "0") if is_socket else parts.path.strip("/") or "0"
    if not (named.isascii() and named.isdecimal()):
        raise ValueError(f"the database is a number; accepted is {ACCEPTED}")
    return int(named)


def _tls(scheme: str, options: Mapping[str, str]) -> Mapping[str, str | bool] | None:
    """The options of TLS as redis-py reads them: the server is verified unless the URL says otherwise."""
    given = {name: options[name] for name in TLS_OPTIONS if name in options}
    if scheme == "sentinel" and not _is_yes("tls", options.get("tls", "false")):
        if given:
            raise ValueError(f"{', '.join(given)} without TLS: add tls=true")
        return None
    if scheme not in {"rediss", "sentinel"}:
        return None
    verifying = given.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if verifying not in _VERIFYING:
        raise ValueError(f"ssl_cert_reqs: accepted are {', '.join(_VERIFYING)}, or CERT_REQUIRED, CERT_OPTIONAL, CERT_NONE")
    if ("ssl_certfile" in given) != ("ssl_keyfile" in given):
        raise ValueError("ssl_certfile and ssl_keyfile belong together")
    is_checking = _is_yes("ssl_check_hostname", given.get("ssl_check_hostname", "true")) and verifying != "none"
    files = {name: given[name] for name in TLS_FILES if name in given}
    return {"ssl_cert_reqs": verifying, "ssl_check_hostname": is_checking, **files}


def _is_yes(name: str, given: str) -> bool:
    if given.lower() not in _YES_NO:
        raise ValueError(f"{name}: accepted are true and false")
    return _YES_NO[given.lower()]
