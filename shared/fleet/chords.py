"""What Celery's chords keep in the result database: the only file that knows their keys.

A chord's name begins with its job's id. Its counter goes when its callback is sent, its claim only minutes later, and a message
that comes after its job has ended leaves a new counter for days: such orphaned keys are deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from secrets import token_hex
from typing import Self

import redis

from shared.config.settings import Settings
from shared.drivers.faults import translated
from shared.drivers.redis_server import redis_client, redis_server
from shared.errors import BrokerAway

_CHORD, _TASK = "celery-taskset-meta-", "celery-task-meta-"  # a callback that could not be sent leaves the latter


def chord_name(job_id: str, queue: str) -> str:
    """A new name for the chord of a queue: published twice, it is counted twice."""
    return f"{job_id}.{queue}.{token_hex(4)}"


class Chords:
    """The result database behind one client; raises BrokerAway."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Connect on first use; without retries, as the next sweep comes soon."""
        return cls(redis_client(redis_server(settings).results, is_patient=False))

    @translated(BrokerAway)
    def sweep(self, open_jobs: Callable[[], Collection[str]]) -> int:
        """Delete what is left of jobs that have ended; returns how many keys that were.

        Args:
            open_jobs: asked after the keys have been read, so that the chord of a job that has just begun is no rest.
        """
        keys = [key.decode() for key in self._client.scan_iter("celery-task*-meta-*", count=1_000)]
        living = tuple(f"{prefix}{job_id}." for job_id in open_jobs() for prefix in (_CHORD, _TASK))
        rest = [key for key in keys if not key.startswith(living)]
        return int(self._client.unlink(*rest)) if rest else 0  # type: ignore[arg-type] # redis-py's types cover its asyncio client too
