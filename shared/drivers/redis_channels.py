"""Changes how kombu's channels speak to Redis, where kombu has no setting for it; tests hold each name to the pinned kombu.

kombu 5.7 ends the worker for good ("Unrecoverable error") in two cases that are outages:

* Acknowledging on a channel whose connection is gone raises AttributeError ('NoneType' … 'hostname'); the callers expect, and
  handle, a ConnectionError.
* A server that refuses (READONLY, OOM, MASTERDOWN, or UNBLOCKED when it becomes a replica under a waiting BRPOP) raises a
  ResponseError; the worker reconnects after connection errors only.

What is no message of Celery's (no JSON, no object, headers of another kind) would end the worker in the same way, or hold one
of its slots for ever: it is dropped and logged. What a message looks like: redis_messages.py.

A channel also asks every server that it connects to whether it is the master, and leaves one that refuses. It keeps its client:
kombu makes one for each command, which costs more than the command.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty
from typing import Any, ParamSpec

import redis
import structlog
from kombu import Message
from kombu.transport.redis import Channel, Transport

from shared.domain.lanes import Lane
from shared.drivers.redis_messages import why_no_message
from shared.drivers.redis_roles import OUTAGES, meet_server
from shared.errors import reason_of

P = ParamSpec("P")
Deliver = Callable[[Transport, object, str | None], None]

LANES = frozenset(lane.value for lane in Lane)

log = structlog.get_logger(__name__)


def prepare_channels() -> None:
    """Change kombu's channels and transport. Calling it twice changes nothing."""
    channel: Any = Channel  # its methods are replaced, for which types have no words
    transport: Any = Transport
    original = channel._connparams
    if getattr(original, "is_prepared", False):
        return

    def prepared(self: Channel, asynchronous: bool = False) -> object:
        if getattr(self.connection, "client", None) is None:
            raise redis.exceptions.ConnectionError("the channel is closed")
        return original(self, asynchronous) | {"redis_connect_func": meet_server, "retry_on_error": list(OUTAGES)}

    channel._connparams = prepared
    channel._connparams.is_prepared = True
    channel._create_client = keeping_the_client(channel._create_client)
    channel._brpop_read = dropping_what_is_no_json(channel._brpop_read)
    channel.basic_consume = acknowledging_what_fails(channel.basic_consume)
    transport._deliver = dropping_what_is_no_message(transport._deliver)
    transport.connection_errors = (*transport.connection_errors, redis.exceptions.RedisError)


def keeping_the_client(original: Callable[..., redis.Redis]) -> Callable[..., redis.Redis]:
    """A client for as long as the channel has the pool that it takes connections from; a lost connection gets another one."""

    def create(self: Channel, asynchronous: bool = False) -> redis.Redis:
        if asynchronous:
            return original(self, asynchronous=True)
        kept: redis.Redis | None = self.__dict__.get("_kept_client")
        if kept is None or kept.connection_pool is not self.pool:
            kept = self.__dict__["_kept_client"] = original(self)
        return kept

    return create


def dropping_what_is_no_json(original: Callable[P, object]) -> Callable[P, object]:
    """A look into the lists that is over when what was taken cannot be read: it is gone from there already."""

    def read(*args: P.args, **options: P.kwargs) -> object:
        try:
            return original(*args, **options)
        except (Empty, OSError, redis.exceptions.RedisError):
            raise
        except Exception as error:  # noqa: BLE001 - a parser's, and those of the types that kombu makes of JSON
            _tell(reason_of(error))
            return True

    return read


def dropping_what_is_no_message(original: Deliver) -> Deliver:
    """A delivery that takes from lanes messages as kombu writes them, and nothing else."""

    def deliver(self: Transport, message: object, queue: str | None) -> None:
        if queue in LANES and (reason := why_no_message(message)):
            _tell(reason, lane=queue)
        else:
            original(self, message, queue)

    return deliver


def acknowledging_what_fails(original: Callable[..., object]) -> Callable[..., object]:
    """A consumer whose callback may stumble over a message: then that is acknowledged, or it would come again and again."""

    def basic_consume(
        self: Channel, queue: str, no_ack: bool, callback: Callable[[Message], object], consumer_tag: str, **options: object
    ) -> object:
        def careful(message: Message) -> object:
            try:
                return callback(message)
            except (OSError, redis.exceptions.RedisError):
                raise
            except Exception as error:  # noqa: BLE001 - what Celery meets in headers that are none of its own
                _tell(reason_of(error), lane=queue)
                if not message.acknowledged:
                    message.ack()
                return None

        return original(self, queue, no_ack, careful, consumer_tag, **options)

    return basic_consume


def _tell(reason: str, **about: str) -> None:
    log.error("a message was dropped", reason=reason, **about)
