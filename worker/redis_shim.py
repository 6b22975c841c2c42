"""Guards one private method of kombu, which otherwise kills the worker when the broker's connection is gone.

Acknowledging on a channel whose connection is gone raises AttributeError ('NoneType' … 'hostname') deep inside kombu 5.7; the
callers expect, and handle, a ConnectionError. May go when kombu raises one itself; a test holds the method's signature.
"""

from __future__ import annotations

from typing import Any

import kombu.transport.redis
import redis


def guard_closed_channels() -> None:
    """Make a channel without connection raise a ConnectionError. Calling it twice changes nothing."""
    channel: Any = kombu.transport.redis.Channel
    original = channel._connparams
    if getattr(original, "is_guarded", False):
        return

    def guarded(self: Any, asynchronous: bool = False) -> Any:
        if self.connection is None or getattr(self.connection, "client", None) is None:
            raise redis.exceptions.ConnectionError("the channel is closed")
        return original(self, asynchronous)

    channel._connparams = guarded
    channel._connparams.is_guarded = True
