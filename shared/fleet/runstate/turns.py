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
from shared.fleet.runstate.values import Room, ToCome


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

    def to_come(self) -> ToCome:
        """What the queues of all jobs that wait to be let in will be: work that stands in no lane yet."""
        pipeline = self._client.pipeline()
        for job_id in cast("set[bytes]", self._client.smembers("active")):
            pipeline.hmget(f"job:{job_id.decode()}", ["queues", "next", "heavy"])
        answers = [tuple(int(number or 0) for number in answer) for answer in pipeline.execute()]
        waiting = [(max(0, total - let_in), heavy) for total, let_in, heavy in answers]
        return ToCome(queues=sum(queues for queues, _ in waiting), heavy_tasks=sum(queues * heavy for queues, heavy in waiting))
