"""One Redis or Valkey server, found directly or through Sentinels, and a client with limits: tries are for a limited time, too,
since a task that waits for the broker must not run into its own time limit.

Three databases in a row: broker, results, run state (in which the API also counts requests).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.connection import SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 - redis-py's own names
from redis.retry import Retry
from redis.sentinel import Sentinel

from shared.config.redis_urls import RedisPlace
from shared.config.settings import Settings
from shared.drivers.redis_roles import OUTAGES, meet_server
from shared.errors import BrokerNotStarted

SOCKET_NOTE = "broker.socket"  # in the data folder: where the embedded broker's socket lies (its own path must stay short)
PATIENCE_SECONDS = 25.0  # far below the soft limit of a task, after which a queue would have failed
_TRANSIENT = (ConnectionError, TimeoutError, *OUTAGES)

Answer = TypeVar("Answer")

_is_trying = ContextVar("is_trying", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisServer:
    """Where messages, results and the run state of running jobs are."""

    broker: RedisPlace
    results: RedisPlace
    run_state: RedisPlace


def redis_server(settings: Settings) -> RedisServer:
    """Where broker, results and run state are; raises BrokerAway while no embedded broker runs."""
    url = settings.broker_url
    broker = _trusting(settings, RedisPlace.of(url.get_secret_value()) if url else _embedded(settings.data_dir))
    elsewhere = settings.result_backend_url
    results = _trusting(settings, RedisPlace.of(elsewhere.get_secret_value())) if elsewhere else broker.beside(1)
    return RedisServer(broker=broker, results=results, run_state=broker.beside(2))


def redis_client(place: RedisPlace, *, is_patient: bool) -> redis.Redis:
    """A client that answers or fails in time, and speaks to a master only.

    Args:
        place: the database.
        is_patient: workers outlive a restart of the server (about 25 s); the API answers 503 at once instead.
    """
    limits = _limits(is_patient=is_patient)
    options: dict[str, Any] = {
        "db": place.database,
        "username": place.username,
        "password": place.password,
        "health_check_interval": 10,
        "redis_connect_func": meet_server,
        **limits,
        **(place.tls or {}),
    }
    if place.master:
        return _master(place, limits, options | ({} if place.tls is None else {"ssl": True}))
    if place.path:
        options |= {"connection_class": UnixDomainSocketConnection, "path": place.path}
    else:
        options |= {"connection_class": redis.Connection if place.tls is None else SSLConnection}
        options |= dict(zip(("host", "port"), place.hosts[0], strict=True))
    return redis.Redis.from_pool(redis.ConnectionPool(**options))


def sentinel_options(place: RedisPlace) -> dict[str, object]:
    """How the Sentinels themselves are reached, in redis-py's words."""
    credentials = {"username": place.sentinel_username, "password": place.sentinel_password}
    tls: dict[str, object] = {} if place.tls is None else {"ssl": True, **place.tls}
    return {**{name: value for name, value in credentials.items() if value}, **tls}


def counting_on(server: RedisServer) -> tuple[str, dict[str, Any]]:
    """The run state's database for the library `limits`: a URL that only names the kind, and the connections to use."""
    return "redis://", {"connection_pool": redis_client(server.run_state, is_patient=False).connection_pool}


def _master(place: RedisPlace, limits: dict[str, object], options: dict[str, Any]) -> redis.Redis:
    """A client of the master that the Sentinels name; one of them that is away must not keep the next from being asked."""
    impatient = {name: value for name, value in limits.items() if name.startswith("socket_")} | {"retry": None}
    sentinel = Sentinel(list(place.hosts), sentinel_kwargs=sentinel_options(place) | impatient, **options)  # type: ignore[no-untyped-call]
    master: redis.Redis = sentinel.master_for(place.master)  # type: ignore[no-untyped-call]
    return master


def _limits(*, is_patient: bool) -> dict[str, object]:
    retry = Patience() if is_patient else Retry(NoBackoff(), 0)
    seconds = 5.0 if is_patient else 0.5
    return {"socket_timeout": seconds, "socket_connect_timeout": seconds, "retry": retry, "retry_on_error": list(_TRANSIENT)}


def _trusting(settings: Settings, place: RedisPlace) -> RedisPlace:
    """The place with the certificates that the settings name; the URL's own win."""
    if place.tls is None or settings.broker_ca_file is None:
        return place
    return replace(place, tls={"ssl_ca_certs": str(settings.broker_ca_file), **place.tls})


def _embedded(data_dir: Path) -> RedisPlace:
    note = data_dir / SOCKET_NOTE
    try:
        return RedisPlace(path=note.read_text().strip())
    except OSError as error:
        raise BrokerNotStarted(data_dir=data_dir) from error


class Patience(Retry):
    """Tries again until PATIENCE_SECONDS have passed, whatever is tried within what.

    redis-py connects, with all tries that there are, within each try of a command: a connection that was lost would be waited for
    26 times 25 seconds.
    """

    def __init__(self) -> None:
        super().__init__(ExponentialBackoff(cap=1.0, base=0.05), 25)

    def call_with_retry(
        self,
        do: Callable[[], Answer],
        fail: Callable[..., object],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Answer:
        """What `do` gives; raises the last error when the time is up. Within another try it is one try."""
        if _is_trying.get():
            return do()
        token, until, failures = _is_trying.set(True), time.monotonic() + PATIENCE_SECONDS, 0
        try:
            while True:
                try:
                    return do()
                except self._supported_errors as error:
                    if is_retryable and not is_retryable(error):
                        raise
                    failures += 1
                    fail(error, failures) if with_failure_count else fail(error)
                    pause = self._backoff.compute(failures)
                    if time.monotonic() + pause > until:
                        raise
                time.sleep(pause)
        finally:
            _is_trying.reset(token)
