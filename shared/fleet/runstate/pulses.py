"""Heartbeats of the workers: a key that each sets anew every few seconds, and that expires."""

from __future__ import annotations

from typing import cast

import redis

from shared.domain.codec import from_json, to_json
from shared.fleet.runstate.scripts import speaks_redis
from shared.fleet.runstate.values import LivingWorker

WORKER_TTL_SECONDS = 8


class Pulses:
    """Workers that live, behind the client of the run state."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    @speaks_redis
    def announce(self, worker: LivingWorker) -> None:
        """Say that a worker lives; it is forgotten after WORKER_TTL_SECONDS."""
        self._client.set(f"worker:{worker.worker_id}", to_json(worker), ex=WORKER_TTL_SECONDS)

    @speaks_redis
    def workers(self) -> list[LivingWorker]:
        """All workers that live."""
        keys = list(self._client.scan_iter("worker:*", count=1_000))
        texts = cast("list[bytes | None]", self._client.mget(keys)) if keys else []
        return [from_json(LivingWorker, text) for text in texts if text]
