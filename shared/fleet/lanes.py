"""What waits in the lanes and what is being run: the only file that knows how kombu keeps messages in Redis.

A message waits in the list of its lane; taken, it stands in `unacked` until it is acknowledged, with the time of its delivery in
`unacked_index`. Between the two it is nowhere for a moment.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import redis
import structlog

from shared.config.settings import Settings
from shared.domain.codec import Document
from shared.domain.lanes import Lane
from shared.drivers.faults import in_every_method, translated
from shared.drivers.redis_messages import why_no_message
from shared.drivers.redis_server import redis_client, redis_server
from shared.errors import BrokerAway

HELD, DELIVERED = "unacked", "unacked_index"  # tag → message · tag by the time of its delivery

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A message that a worker has taken and not yet acknowledged."""

    lane: str
    since: float  # epoch seconds, by the worker's clock
    tag: bytes = b""  # of its delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class LanesView:
    """All lanes at one moment."""

    waiting: Mapping[str, str]  # task id → lane
    held: Mapping[str, Held]  # task id → …
    uptime_seconds: int  # of the broker
    unreadable: frozenset[str] = frozenset()  # keys that hold something of another type: nothing waits there, nothing can be sent

    def depth(self, lane: Lane) -> int | None:
        """Messages that wait in the lane; None = unknown."""
        return None if lane.value in self.unreadable else Counter(self.waiting.values())[lane.value]

    def running(self, lane: Lane) -> int | None:
        """Messages of the lane that a worker has taken; None = unknown."""
        return None if self.unreadable & {HELD, DELIVERED} else Counter(held.lane for held in self.held.values())[lane.value]


@in_every_method(translated(BrokerAway))
class Lanes:
    """The lanes behind one client; raises BrokerAway."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    @classmethod
    def open(cls, settings: Settings) -> Lanes:
        """Connect on first use; without retries, as the next look comes soon."""
        return cls(redis_client(redis_server(settings).broker, is_patient=False))

    def look(self) -> LanesView:
        """All lanes, read in one transaction."""
        pipeline = self._client.pipeline()
        for lane in Lane:
            pipeline.lrange(lane.value, 0, -1)
        pipeline.hgetall(HELD)
        pipeline.zrange(DELIVERED, 0, -1, withscores=True)
        pipeline.info("server")
        answers = dict(zip([*Lane, HELD, DELIVERED, "info"], pipeline.execute(raise_on_error=False), strict=True))
        unreadable = frozenset(str(key) for key, answer in answers.items() if not _is_readable(answer))
        if unreadable:
            log.error("keys of the lanes hold something else", keys=sorted(unreadable))
        values = {key: () if key in unreadable else answer for key, answer in answers.items()}
        messages = ((_message(text), lane.value) for lane in Lane for text in values[lane])
        return LanesView(
            waiting={message["headers"]["id"]: lane for message, lane in messages if message},
            held=_held(dict(values[HELD]), dict(values[DELIVERED])),
            uptime_seconds=answers["info"]["uptime_in_seconds"],
            unreadable=unreadable,
        )

    def forget(self, held: Collection[Held]) -> None:
        """Give messages that have been taken up for good: nobody gets them again. Acknowledging one later does no harm."""
        tags = [message.tag for message in held]
        pipeline = self._client.pipeline()
        pipeline.hdel(HELD, *tags)  # type: ignore[arg-type] # redis-py takes bytes as names, its types do not say so
        pipeline.zrem(DELIVERED, *tags)
        pipeline.execute()


def _held(unacked: Mapping[bytes, bytes], delivered: Mapping[bytes, float]) -> dict[str, Held]:
    held = {}
    for tag, text in unacked.items():
        match _json(text):
            case [dict() as message, _exchange, str() as lane] if why_no_message(message) is None:
                held[message["headers"]["id"]] = Held(lane=lane, since=delivered.get(tag, 0.0), tag=tag)
    return held


def _is_readable(answer: object) -> bool:
    """Whether the key has the type that kombu gives it; raises what else has gone wrong."""
    if isinstance(answer, redis.ResponseError) and str(answer).startswith("WRONGTYPE"):
        return False
    if isinstance(answer, Exception):
        raise answer
    return True


def _message(text: bytes) -> Document | None:
    """A message of ours; None for whatever else somebody has put there, which the workers will drop."""
    message = _json(text)
    return message if isinstance(message, dict) and why_no_message(message) is None else None


def _json(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
