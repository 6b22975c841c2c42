"""Fair scheduling: queues are let in round robin, from projects in turn and within a project from its jobs in turn.

    turns:{lane} turns:{lane}:{project}      sorted sets: projects, and jobs of a project, whose queues wait; the longest first
    let_in:{lane}                            set: jobs some of whose queues run
    project:{job}                            string: whose turn the job takes

`lane` is heavy for jobs that have heavy candidates, else score: they are counted apart.
"""

from __future__ import annotations

import time
from typing import cast

import redis

from shared.fleet.runstate.scripts import Scripts, speaks_redis
from shared.fleet.runstate.values import Room


@speaks_redis
class Turns:
    """Turns, behind the client of the run state."""

    def __init__(self, client: redis.Redis, step: Scripts) -> None:
        self._client, self._step = client, step

    def enlist(self, job_id: str, project: str) -> None:
        """Let a job's queues wait for their turn, as `name_queues` has done; repeating it changes nothing."""
        self._step("enlist", [f"job:{job_id}"], project)

    def let_in(self, room: Room) -> list[tuple[str, str]]:
        """Let queues in, of any job, while there is room; returns (job, queue) of those let in by this call."""
        limits = (room.always, room.few, room.few_tasks, room.score_tasks, room.heavy_tasks)
        flat = cast("list[bytes]", self._step("let_in", [], *limits, int(time.time())))
        names = [name.decode() for name in flat]
        return list(zip(names[::2], names[1::2], strict=True))

    def queues_waiting(self) -> int:
        """How many queues of all jobs wait to be let in."""
        pipeline = self._client.pipeline()
        for job_id in cast("set[bytes]", self._client.smembers("active")):
            pipeline.hmget(f"job:{job_id.decode()}", ["queues", "next"])
        return sum(max(0, int(total or 0) - int(let_in or 0)) for total, let_in in pipeline.execute())
