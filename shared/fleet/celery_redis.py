"""How Celery reaches the broker's server: its settings for one server or for Sentinels, with TLS or on a unix socket.

Every setting has its reason beside it, measured unless said otherwise; tests/chaos repeats the measurements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from celery.backends.redis import RedisBackend, SentinelBackend

from shared.config.redis_urls import RedisPlace
from shared.domain.lanes import TaskLimits
from shared.drivers.redis_roles import OUTAGES, meet_server
from shared.drivers.redis_server import RedisServer, sentinel_options

T = TypeVar("T")

_WORKER_LIMITS = {"socket_timeout": 10, "socket_connect_timeout": 5}  # the default waits for ever on a dead connection
_API_LIMITS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}


class _Quiet:
    """Nobody waits for a Celery result, so subscribe to none: chords would leak one subscription per header task."""

    def add_pending_result(self, result: T, weak: bool = False, start_drainer: bool = True) -> T:  # noqa: ARG002 - Celery's signature
        """Remember nothing."""
        return result

    def on_task_call(self, producer: object, task_id: str) -> None:
        """Subscribe to nothing."""

    def _get_pool(self, **params: object) -> object:
        """Connections to a master only, and to the next one when it refuses."""
        options = {**params, "redis_connect_func": meet_server, "retry_on_error": list(OUTAGES)}
        return super()._get_pool(**options)  # type: ignore[misc] # of the backend that is inherited beside it


class QuietBackend(_Quiet, RedisBackend):
    """Results in one server."""


class QuietSentinelBackend(_Quiet, SentinelBackend):
    """Results in the server that the Sentinels name."""


BACKENDS = dict.fromkeys(("redis", "rediss", "redis+socket"), f"{__name__}:{QuietBackend.__name__}") | {
    "sentinel": f"{__name__}:{QuietSentinelBackend.__name__}"
}


def connections(server: RedisServer, limits: TaskLimits) -> dict[str, object]:
    """The patience of a worker: it outlives every outage."""
    return {
        "broker_transport_options": _transport(server.broker, limits),
        "broker_use_ssl": _tls(server.broker),
        "broker_connection_retry_on_startup": True,  # start before Redis, never give up
        "broker_connection_timeout": 4,
        "broker_connection_max_retries": None,
        "result_backend_transport_options": {
            "additional_connection_errors": OUTAGES,
            **_sentinels(server.results, _WORKER_LIMITS),
        },
        "result_backend_always_retry": True,  # else an outage of 2 s fails a chord
        "result_backend_max_retries": 60,  # minutes, then it fails; endless would pin the child
        "result_backend_max_sleep_between_retries_ms": 5_000,
        "redis_backend_use_ssl": _tls(server.results),
        "redis_socket_timeout": 10,
        "redis_socket_connect_timeout": 5,
        "redis_retry_on_timeout": True,
        "redis_backend_health_check_interval": 10,
        "redis_socket_keepalive": not server.results.path,  # a TypeError on a unix socket
        "redis_max_connections": None,  # no cap below the API's threads
    }


def _transport(place: RedisPlace, limits: TaskLimits) -> dict[str, object]:
    transport = {
        "visibility_timeout": limits.visibility_seconds,
        "unacked_restore_interval": 5,  # look for messages past it every 5 s; with the defaults they came back after 100 s
        "unacked_restore_throttle": 1,
        "queue_order_strategy": "priority",  # lanes in the order of -Q, callbacks first: else they starve behind candidates
        "retry_on_timeout": True,
        "health_check_interval": 10,
        **_WORKER_LIMITS,
        **_sentinels(place, _WORKER_LIMITS),
    }
    return transport if place.path else transport | {"socket_keepalive": True}  # an error on a unix socket


def impatience(server: RedisServer, limits: TaskLimits) -> dict[str, object]:
    """The API answers 503 in under 2 s; with a worker's settings a publish can hang for minutes on a frozen server.

    It tells nobody that it has sent: that event costs a second message per submit, and Flower hears of the first one's arrival.
    """
    hurry = {**_API_LIMITS, **_sentinels(server.broker, _API_LIMITS), "retry_on_timeout": False, "max_retries": 1}
    pauses = {"interval_start": 0, "interval_step": 0, "interval_max": 0}
    transport = _transport(server.broker, limits) | hurry | pauses
    return {"broker_transport_options": transport, "broker_connection_timeout": 0.5, "task_send_sent_event": False}


def _tls(place: RedisPlace) -> dict[str, object] | None:
    return dict(place.tls) if place.tls is not None else None


def _sentinels(place: RedisPlace, limits: Mapping[str, object]) -> dict[str, object]:
    """Which master, and how the Sentinels are asked; one that is away must not keep the next one from being asked."""
    if not place.master:
        return {}
    return {"master_name": place.master, "sentinel_kwargs": {**sentinel_options(place), **limits, "retry": None}}
