"""One Redis or Valkey server, spelled for Celery and for redis-py, and a client with limits.

Three databases in a row: broker, results, run state (in which the API also counts requests). Each library writes a unix socket in
its own way; only this file knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, TimeoutError  # noqa: A004 - redis-py's own names
from redis.retry import Retry

from shared.errors import BrokerAway, InvalidSettings
from shared.settings import Settings

SOCKET_NOTE = "broker.socket"  # in the data folder: where the embedded broker's socket lies (its own path must stay short)
ACCEPTED = "redis://host:port/0, rediss://host:port/0 or redis+socket:///path?virtual_host=0"
_TRANSIENT = (ConnectionError, TimeoutError, BusyLoadingError)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisServer:
    """The addresses of one server: `broker` and `results` as Celery writes them, the others as redis-py does."""

    broker: str
    results: str
    lanes: str  # the broker's database
    chords: str  # the results' database
    run_state: str

    @property
    def is_socket(self) -> bool:
        """Whether it is reached through a unix socket, where TCP's options are errors."""
        return self.broker.startswith("redis+socket://")


def redis_server(settings: Settings) -> RedisServer:
    """Where broker, results and run state are.

    Raises BrokerAway while no embedded broker runs, InvalidSettings for a URL of another scheme.
    """
    broker = settings.broker_url.get_secret_value() if settings.broker_url else _embedded(settings.data_dir)
    results = settings.result_backend_url.get_secret_value() if settings.result_backend_url else _database(broker, 1)
    lanes, run_state = _for_redis_py(_database(broker, 0)), _for_redis_py(_database(broker, 2))
    chords = _for_redis_py(_database(results, 0))
    return RedisServer(broker=_database(broker, 0), results=results, lanes=lanes, chords=chords, run_state=run_state)


def redis_client(url: str, *, is_patient: bool) -> redis.Redis:
    """A client that answers or fails in time.

    Args:
        url: as redis-py writes it.
        is_patient: workers outlive a restart of the server (25 tries, about 25 s); the API answers 503 at once instead.
    """
    return redis.Redis.from_url(url, **_limits(is_patient=is_patient), health_check_interval=10)


def counting_on(server: RedisServer) -> tuple[str, dict[str, Any]]:
    """The run state's database as the library `limits` writes it, and the options with which a call answers or fails at once."""
    return server.run_state.replace("unix://", "redis+unix://", 1), _limits(is_patient=False)


def _limits(*, is_patient: bool) -> dict[str, Any]:
    retry = Retry(ExponentialBackoff(cap=1.0, base=0.05), 25) if is_patient else Retry(NoBackoff(), 0)
    seconds = 5.0 if is_patient else 0.5
    return {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": retry,
        "retry_on_error": list(_TRANSIENT),
    }


def _embedded(data_dir: Path) -> str:
    note = data_dir / SOCKET_NOTE
    try:
        return f"redis+socket://{note.read_text().strip()}?virtual_host=0"
    except OSError as error:
        raise BrokerAway(f"no embedded broker runs for {data_dir}: start `queuecast up`, or set QUEUECAST_BROKER_URL") from error


def _database(url: str, offset: int) -> str:
    """The URL of the database `offset` places after the one that `url` names."""
    parts = urlsplit(url)
    try:
        if parts.scheme == "redis+socket":
            number = int(parse_qs(parts.query).get("virtual_host", ["0"])[0])
            return f"redis+socket://{parts.path}?virtual_host={number + offset}"
        if parts.scheme in {"redis", "rediss"} and parts.hostname:
            number = int(parts.path.strip("/") or 0)
            return urlunsplit(parts._replace(path=f"/{number + offset}"))
    except ValueError:
        pass  # the number of the database is none: refused below, without showing a URL that may hold a password
    raise InvalidSettings(f"QUEUECAST_BROKER_URL has scheme {parts.scheme!r}; accepted is {ACCEPTED}")


def _for_redis_py(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "redis+socket":
        return url
    return f"unix://{parts.path}?db={parse_qs(parts.query)['virtual_host'][0]}"
