"""Who belongs to the fleet: workers that live, the models they offer, and roles that one process of a kind has, with its version.

A heartbeat is a key that its worker sets anew every few seconds, and that expires. The set `workers` has their ids: whoever asks
who lives looks at these and not at all keys.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import cast

import redis
from redis.exceptions import LockError
from redis.lock import Lock

from shared.domain.codec import from_json, to_json
from shared.domain.model_cards import ModelCard
from shared.fleet.runstate.scripts import Scripts, speaks_redis
from shared.fleet.runstate.values import LivingWorker

REAPER = "reaper"
COLLECTOR = "collector"
ROLES = ("api", REAPER, COLLECTOR)
VERSION_TTL_SECONDS = 3_600
WORKER_TTL_SECONDS = 8
SLOTS_SECONDS = 2
CATALOGUE_SECONDS = 1.0


@speaks_redis
class Members:
    """Processes of the fleet, behind the client of the run state."""

    def __init__(self, client: redis.Redis, step: Scripts) -> None:
        self._client, self._step = client, step
        self._catalogue, self._ask_at = b"", 0.0

    def announce(self, worker: LivingWorker) -> None:
        """Say that a worker lives; it is forgotten after WORKER_TTL_SECONDS."""
        pipeline = self._client.pipeline()
        pipeline.set(f"worker:{worker.worker_id}", to_json(worker), ex=WORKER_TTL_SECONDS)
        pipeline.sadd("workers", worker.worker_id)
        if pipeline.execute()[1]:
            self._client.delete("slots")

    def workers(self) -> list[LivingWorker]:
        """All workers that live."""
        return [from_json(LivingWorker, text) for text in self._step("workers", ["workers"])]

    def slots(self) -> dict[str, int]:
        """Lane → how many tasks of it may run at a time; of SLOTS_SECONDS ago at most, unless a worker has joined since.

        Whenever a queue ends this is asked: a thousand workers would look at a thousand each time.
        """
        if known := cast("bytes | None", self._client.get("slots")):
            return from_json(dict[str, int], known)
        slots: Counter[str] = Counter()
        for worker in self.workers():
            slots.update(dict.fromkeys(worker.lanes, worker.slots))
        self._client.set("slots", to_json(dict(slots), dict[str, int]), ex=SLOTS_SECONDS)
        return slots

    def enlist_unlisted(self) -> None:
        """Enlist those of the release before, which announce themselves by their key only; a look at all keys."""
        for key in self._client.scan_iter("worker:*", count=1_000):
            self._client.sadd("workers", key.removeprefix(b"worker:"))

    def publish(self, cards: Sequence[ModelCard]) -> None:
        """Keep the cards of the models that a worker offers; the newest worker's word counts."""
        self._client.set("catalogue", to_json(tuple(cards), tuple[ModelCard, ...]))

    def cards(self) -> tuple[ModelCard, ...] | None:
        """The model cards, of CATALOGUE_SECONDS ago at most; None = no worker has ever published.

        They are long, and each submit asks.
        """
        if not self._catalogue or time.monotonic() >= self._ask_at:
            self._catalogue = cast("bytes | None", self._client.get("catalogue")) or b""
            self._ask_at = time.monotonic() + CATALOGUE_SECONDS
        return _cards(self._catalogue) if self._catalogue else None

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

    def release(self, lock: Lock) -> None:
        """Let another process have the lock, if it is still ours."""
        with suppress(LockError):
            lock.release()

    def is_held(self, role: str) -> bool:
        """Whether some process holds the lock of the role."""
        return bool(self._client.exists(role))

    def announce_version(self, role: str, version: str) -> None:
        """Say which version the API, the reaper or the collector has; a write, which a server that only reads refuses."""
        self._client.set(f"version:{role}", version, ex=VERSION_TTL_SECONDS)

    def versions(self) -> dict[str, str]:
        """Role → the version that it announced last."""
        texts = cast("list[bytes | None]", self._client.mget([f"version:{role}" for role in ROLES]))
        return {role: text.decode() for role, text in zip(ROLES, texts, strict=True) if text}


@lru_cache(maxsize=1)  # they change with the release
def _cards(text: bytes) -> tuple[ModelCard, ...]:
    return from_json(tuple[ModelCard, ...], text)
