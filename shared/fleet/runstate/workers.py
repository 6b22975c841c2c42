"""The part of the run state that outlives jobs: who works, and what is offered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import redis

from shared.documents import from_json, to_json
from shared.drivers.faults import translated
from shared.errors import BrokerAway
from shared.forecasts import ModelCard
from shared.running import LivingWorker

WORKER_TTL_SECONDS = 8
VERSION_TTL_SECONDS = 3_600
ROLES = ("api", "reaper")

speaks_redis = translated(BrokerAway)


class RunstateWorkers:
    """Workers and their catalogue, behind the client of the run state."""

    client: redis.Redis

    @speaks_redis
    def announce(self, worker: LivingWorker) -> None:
        """Say that a worker lives; it is forgotten after WORKER_TTL_SECONDS."""
        self.client.set(f"worker:{worker.worker_id}", to_json(worker), ex=WORKER_TTL_SECONDS)

    @speaks_redis
    def workers(self) -> list[LivingWorker]:
        """All workers that live."""
        keys = list(self.client.scan_iter("worker:*", count=1_000))
        found = cast("list[bytes | None]", self.client.mget(keys)) if keys else []
        return [from_json(LivingWorker, text) for text in found if text]

    @speaks_redis
    def announce_version(self, role: str, version: str) -> None:
        """Say which version the API or the reaper has; a write, which a server that only reads refuses."""
        self.client.set(f"version:{role}", version, ex=VERSION_TTL_SECONDS)

    @speaks_redis
    def versions(self) -> dict[str, str]:
        """Role → the version that it announced last."""
        found = cast("list[bytes | None]", self.client.mget([f"version:{role}" for role in ROLES]))
        return {role: text.decode() for role, text in zip(ROLES, found, strict=True) if text}

    @speaks_redis
    def keep_catalogue(self, cards: Sequence[ModelCard]) -> None:
        """Publish what the workers offer; the newest worker's word counts."""
        self.client.set("catalogue", to_json(tuple(cards), tuple[ModelCard, ...]))

    @speaks_redis
    def catalogue(self) -> tuple[ModelCard, ...] | None:
        """The model cards; None = no worker has ever published."""
        text = cast("bytes | None", self.client.get("catalogue"))
        return from_json(tuple[ModelCard, ...], text) if text else None
