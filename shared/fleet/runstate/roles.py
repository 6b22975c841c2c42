"""Roles that one process of a kind has: which versions the API and the reaper have, and who may be the reaper."""

from __future__ import annotations

from typing import cast

import redis
from redis.exceptions import LockError
from redis.lock import Lock

from shared.fleet.runstate.scripts import speaks_redis

REAPER = "reaper"
ROLES = ("api", REAPER)
VERSION_TTL_SECONDS = 3_600


class Roles:
    """Roles, behind the client of the run state."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def lock(self, role: str, seconds: float) -> Lock:
        """A lock that one process may hold, and renew, for `seconds` at a time."""
        lock: Lock = self._client.lock(role, timeout=seconds, blocking=False)
        return lock

    @speaks_redis
    def holds(self, lock: Lock) -> bool:
        """Take or renew the lock; whether it is ours now."""
        try:
            return bool(lock.reacquire() if lock.owned() else lock.acquire())
        except LockError:  # it ran out, and another one took it in between
            return False

    @speaks_redis
    def is_held(self, role: str) -> bool:
        """Whether some process holds the lock of the role."""
        return bool(self._client.exists(role))

    @speaks_redis
    def announce_version(self, role: str, version: str) -> None:
        """Say which version the API or the reaper has; a write, which a server that only reads refuses."""
        self._client.set(f"version:{role}", version, ex=VERSION_TTL_SECONDS)

    @speaks_redis
    def versions(self) -> dict[str, str]:
        """Role → the version that it announced last."""
        texts = cast("list[bytes | None]", self._client.mget([f"version:{role}" for role in ROLES]))
        return {role: text.decode() for role, text in zip(ROLES, texts, strict=True) if text}
