"""Who belongs to the fleet: workers that live, the models they offer, and roles that one process of a kind has, with its version.

A heartbeat is a key that its worker sets anew every few seconds, and that expires.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import redis
from redis.exceptions import LockError
from redis.lock import Lock

from shared.domain.codec import from_json, to_json
from shared.domain.model_cards import ModelCard
from shared.fleet.runstate.scripts import speaks_redis
from shared.fleet.runstate.values import LivingWorker

REAPER = "reaper"
ROLES = ("api", REAPER)
VERSION_TTL_SECONDS = 3_600
WORKER_TTL_SECONDS = 8


@speaks_redis
class Members:
    """Processes of the fleet, behind the client of the run state."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def announce(self, worker: LivingWorker) -> None:
        """Say that a worker lives; it is forgotten after WORKER_TTL_SECONDS."""
        self._client.set(f"worker:{worker.worker_id}", to_json(worker), ex=WORKER_TTL_SECONDS)

    def workers(self) -> list[LivingWorker]:
        """All workers that live."""
        keys = list(self._client.scan_iter("worker:*", count=1_000))
        texts = cast("list[bytes | None]", self._client.mget(keys)) if keys else []
        return [from_json(LivingWorker, text) for text in texts if text]

    def publish(self, cards: Sequence[ModelCard]) -> None:
        """Keep the cards of the models that a worker offers; the newest worker's word counts."""
        self._client.set("catalogue", to_json(tuple(cards), tuple[ModelCard, ...]))

    def cards(self) -> tuple[ModelCard, ...] | None:
        """The model cards; None = no worker has ever published."""
        text = cast("bytes | None", self._client.get("catalogue"))
        return from_json(tuple[ModelCard, ...], text) if text else None

    def lock(self, role: str, seconds: float) -> Lock:
        """A lock that one process may hold, and renew, for `seconds` at a time."""
        lock: Lock = self._client.lock(role, timeout=seconds, blocking=False)
        return lock

    def holds(self, lock: Lock) -> bool:
        """Take or renew the lock; whether it is ours now."""
        try:
            return bool(lock.reacquire() if lock.owned() else lock.acquire())
        except LockError:  # it ran out, and another one took it in between
            return False

    def is_held(self, role: str) -> bool:
        """Whether some process holds the lock of the role."""
        return bool(self._client.exists(role))

    def announce_version(self, role: str, version: str) -> None:
        """Say which version the API or the reaper has; a write, which a server that only reads refuses."""
        self._client.set(f"version:{role}", version, ex=VERSION_TTL_SECONDS)

    def versions(self) -> dict[str, str]:
        """Role → the version that it announced last."""
        texts = cast("list[bytes | None]", self._client.mget([f"version:{role}" for role in ROLES]))
        return {role: text.decode() for role, text in zip(ROLES, texts, strict=True) if text}
