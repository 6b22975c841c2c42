"""Queues of a job that are read together, block by block, and what was read of each until it is ingested.

    block (in job:{job})       how many queues a block has, in the order of release; absent or 0: each is read by itself
    read:{job}                 set: blocks that have been read
    reading:{job}:{queue}      string: what was read of a queue, until its work is kept or it ends

A block is read when the first queue of the one before is let in, so that nobody waits for it: of two blocks there are readings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import redis

from shared.fleet.runstate.scripts import Scripts, speaks_redis
from shared.fleet.runstate.values import Reads


@speaks_redis
class Readings:
    """Blocks and readings, behind the client of the run state."""

    def __init__(self, client: redis.Redis, step: Scripts) -> None:
        self._client, self._step = client, step

    def upon(self, job_id: str, queue: str) -> Reads:
        """What there is to read, now that a queue has been let in."""
        pipeline = self._client.pipeline()
        pipeline.hmget(f"job:{job_id}", ["block", "queues"])
        pipeline.lpos(f"queues:{job_id}", queue)
        (size, total), place = pipeline.execute()
        if not int(size or 0) or place is None:
            return Reads()
        block, blocks = place // int(size), -(-int(total) // int(size))
        begins = [each for each in ((0, 1) if block == 0 else (block + 1,)) if each < blocks] if place % int(size) == 0 else []
        return Reads(awaited=None if self.is_read(job_id, block) else block, begins=tuple(begins))

    def is_read(self, job_id: str, block: int) -> bool:
        """Whether all has been read of a block that ever will be."""
        return bool(self._client.sismember(f"read:{job_id}", str(block)))

    def mark_read(self, job_id: str, block: int) -> None:
        """Say so."""
        self._step("mark_read", [f"job:{job_id}", f"read:{job_id}"], block)

    def unread(self, job_id: str, block: int) -> list[str]:
        """The queues of a block of which nothing is kept and that have neither work nor ended."""
        names = self._names(job_id, block)
        pipeline = self._client.pipeline()
        for name in names:
            pipeline.exists(f"reading:{job_id}:{name}", f"candidates:{job_id}:{name}")
            pipeline.hexists(f"done:{job_id}", name)
        answers = iter(pipeline.execute())
        return [name for name in names if (next(answers), next(answers)) == (0, False)]

    def waiting(self, job_id: str, block: int) -> list[str]:
        """The queues of a block that have been let in and have neither work nor ended."""
        names = self._names(job_id, block)
        pipeline = self._client.pipeline()
        for name in names:
            pipeline.hexists(f"released:{job_id}", name)
            pipeline.exists(f"candidates:{job_id}:{name}")
            pipeline.hexists(f"done:{job_id}", name)
        answers = iter(pipeline.execute())
        return [name for name in names if (next(answers), next(answers), next(answers)) == (True, 0, False)]

    def keep(self, job_id: str, readings: Mapping[str, bytes]) -> None:
        """Keep what was read of queues; of one that has work or has ended nothing."""
        pairs = [part for queue, content in readings.items() for part in (queue, content)]
        self._step("keep_readings", [f"job:{job_id}", f"done:{job_id}"], job_id, *pairs)

    def get(self, job_id: str, queue: str) -> bytes | None:
        """What was read of a queue; None = nothing is kept."""
        return cast("bytes | None", self._client.get(f"reading:{job_id}:{queue}"))

    def _names(self, job_id: str, block: int) -> Sequence[str]:
        size = int(cast("bytes | None", self._client.hget(f"job:{job_id}", "block")) or 0)
        if not size:
            return ()
        names = cast("list[bytes]", self._client.lrange(f"queues:{job_id}", block * size, (block + 1) * size - 1))
        return [name.decode() for name in names]
