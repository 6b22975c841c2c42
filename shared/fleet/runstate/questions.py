"""A question that only a worker can answer, through the broker's server: the API asks, a worker answers, both within seconds.

Nothing of it outlives a minute, and nobody restores a lost question: whoever asked asks again.
"""

from __future__ import annotations

import time
from typing import Self, cast

import redis

from shared.drivers.faults import translated
from shared.drivers.redis_server import redis_client, redis_server
from shared.errors import BrokerAway
from shared.settings import Settings

LIFE_SECONDS = 60
BLOCK_SECONDS = 0.25  # at a time: an impatient client gives a silent server up after 0.5 s


class Questions:
    """Questions and answers behind one client; methods raise BrokerAway."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    @classmethod
    def open(cls, settings: Settings, *, is_patient: bool) -> Self:
        """Connect on first use."""
        return cls(redis_client(redis_server(settings).run_state, is_patient=is_patient))

    @translated(BrokerAway)
    def ask(self, question_id: str, text: str) -> None:
        """Lay a question down; a message must wake a worker up."""
        self._client.set(f"question:{question_id}", text, ex=LIFE_SECONDS)

    @translated(BrokerAway)
    def question(self, question_id: str) -> str | None:
        """The question; None = it is too old."""
        found = cast("bytes | None", self._client.get(f"question:{question_id}"))
        return found.decode() if found is not None else None

    @translated(BrokerAway)
    def answer(self, question_id: str, text: str) -> None:
        """Answer a question; of several answers the first counts."""
        pipeline = self._client.pipeline()
        pipeline.rpush(f"answers:{question_id}", text)
        pipeline.expire(f"answers:{question_id}", LIFE_SECONDS)
        pipeline.execute()

    @translated(BrokerAway)
    def await_answer(self, question_id: str, seconds: float) -> str | None:
        """Take the answer, in the moment in which it comes; None = nobody has answered in time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            wait = max(min(left, BLOCK_SECONDS), 0.001)  # 0 would be for ever
            if found := cast("tuple[bytes, bytes] | None", self._client.blpop([f"answers:{question_id}"], timeout=wait)):
                return found[1].decode()
        return None
