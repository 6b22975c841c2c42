"""Changes how kombu's channels speak to Redis, where kombu has no setting for it; tests hold each name to the pinned kombu.

kombu 5.7 ends the worker for good ("Unrecoverable error") in two cases that are outages:

* Acknowledging on a channel whose connection is gone raises AttributeError ('NoneType' … 'hostname'); the callers expect, and
  handle, a ConnectionError.
* A server that refuses (READONLY, OOM, MASTERDOWN, or UNBLOCKED when it becomes a replica under a waiting BRPOP) raises a
  ResponseError; the worker reconnects after connection errors only.

A channel also asks every server that it connects to whether it is the master, and leaves one that refuses.
"""

from __future__ import annotations

from typing import Any

import kombu.transport.redis
import redis

from shared.drivers.redis_roles import OUTAGES, meet_server


def prepare_channels() -> None:
    """Change kombu's channels and transport. Calling it twice changes nothing."""
    channel: Any = kombu.transport.redis.Channel
    transport: Any = kombu.transport.redis.Transport
    original = channel._connparams
    if getattr(original, "is_prepared", False):
        return

    def prepared(self: Any, asynchronous: bool = False) -> Any:
        if self.connection is None or getattr(self.connection, "client", None) is None:
            raise redis.exceptions.ConnectionError("the channel is closed")
        return original(self, asynchronous) | {"redis_connect_func": meet_server, "retry_on_error": list(OUTAGES)}

    channel._connparams = prepared
    channel._connparams.is_prepared = True
    transport.connection_errors = (*transport.connection_errors, redis.exceptions.RedisError)
