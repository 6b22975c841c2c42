"""Request and reply between API and workers, through the broker's server, for what only a worker can answer within seconds.

Nothing of it outlives a minute, and a lost question is not restored: the client asks again.
"""

from __future__ import annotations

import time
from typing import cast

import redis

from shared.fleet.runstate.scripts import speaks_redis

LIFE_SECONDS = 60
BLOCK_SECONDS = 0.25  # at a time: an impatient client gives a silent server up after 0.5 s


@speaks_redis
class Questions:
    """Questions and answers, behind the client of the run state."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def ask(self, question_id: str, text: str) -> None:
        """Lay a question down; a message must wake a worker up."""
        self._client.set(f"question:{question_id}", text, ex=LIFE_SECONDS)

    def question(self, question_id: str) -> str | None:
        """The question; None = it is too old."""
        text = cast("bytes | None", self._client.get(f"question:{question_id}"))
        return text.decode() if text is not None else None

    def answer(self, question_id: str, text: str) -> None:
        """Answer a question, and wake up whoever waits for it; of several answers the first counts."""
        pipeline = self._client.pipeline()
        pipeline.set(f"answer:{question_id}", text, ex=LIFE_SECONDS, nx=True)
        pipeline.rpush(f"answered:{question_id}", "")
        pipeline.expire(f"answered:{question_id}", LIFE_SECONDS)
        pipeline.execute()

    def await_answer(self, question_id: str, seconds: float) -> str | None:
        """The answer, in the moment in which it comes; None = nobody has answered in time.

        A worker of the release before wakes nobody up: its answer is found a moment later.
        """
        until = time.monotonic() + seconds
        while (answer := cast("bytes | None", self._client.get(f"answer:{question_id}"))) is None:
            left = until - time.monotonic()
            if left <= 0:
                return None
            self._client.blpop([f"answered:{question_id}"], timeout=max(min(left, BLOCK_SECONDS), 0.001))  # 0 would be for ever
        return answer.decode()
