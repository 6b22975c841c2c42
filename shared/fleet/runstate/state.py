"""RunState: all that a running job needs, in database 2 of the broker's server; gone when the job has ended.

It is the truth of a running job; a Celery message only wakes somebody up. A job without its hash has ended: nothing is written
for it any more, nor by whoever works in an earlier run of it (`within_run`). Keys, per job or per (job, queue):

    active                                   set: jobs with run state
    turns:… let_in:… project:…               whose turn it is: _runstate_turns.py
    job:{job}                                hash: run, request_id, deadline_at, queues, next, planned, candidates_total|done …
    queues:{job} released:{job} done:{job}   list: order of release · hash: queue → time · hash: queue → reason, "" = forecast
    waiting:{job}                            hash: queue ("" = the plan) → the service it waits for
    data:{job}:{queue} candidates:{job}:{queue}        the snapshot's bytes · the QueueWork
    outcome:… attempt:…                      hash: index → outcome · what → attempts begun
    worker:{id} catalogue                    a worker that lives · the model cards

The keys of a queue go when it ends, so that a big job takes no more room than the queues that run at a time. Whoever wants its
outcomes reads them, and then asks whether it has ended: until then they were whole. All keys expire a day after the job's
deadline, in case nobody deletes them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from secrets import randbits
from typing import Self, cast

import redis
from redis.exceptions import LockError
from redis.lock import Lock

from shared._runstate_steps import REQUEST_ID, RunstateSteps
from shared._runstate_turns import RunstateTurns
from shared._runstate_workers import RunstateWorkers, speaks_redis
from shared.buckets import to_epoch
from shared.documents import from_json, to_json
from shared.drivers.redis_roles import ask_master
from shared.drivers.redis_server import redis_client, redis_server
from shared.forecasts import Failure, Outcome, QueueWork
from shared.jobs import QueueState
from shared.running import RunningJob, RunningQueue, queue_state, running_job, running_queue
from shared.settings import Settings

_PER_JOB = ("job", "queues", "released", "done", "waiting", "project")
_PER_QUEUE = ("candidates", "data", "outcome", "attempt")


class RunState(RunstateTurns, RunstateWorkers):
    """The run state behind one client. Methods raise BrokerAway when the server stays away longer than the client's patience."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self._step = RunstateSteps(client)

    @classmethod
    def open(cls, settings: Settings, *, is_patient: bool) -> Self:
        """Connect on first use; workers are patient, the API is not."""
        return cls(redis_client(redis_server(settings).run_state, is_patient=is_patient))

    @speaks_redis
    def ping(self) -> None:
        """A round trip to the master, for readiness and before anything is written."""
        ask_master(self.client)

    @property
    def run(self) -> str:
        """Tells the run of a job that the caller works in from all other runs; "" = outside of `within_run`, or it has none."""
        return self._step.run

    # A job's life

    @speaks_redis
    def begin_job(self, job_id: str, deadline_at: datetime, request_id: str | None = None) -> None:
        """Make the job a running one, asked for by this request; repeating it changes nothing."""
        pipeline = self.client.pipeline()
        pipeline.hsetnx(f"job:{job_id}", "run", str(randbits(48)))
        pipeline.hset(f"job:{job_id}", "deadline_at", str(to_epoch(deadline_at)))
        if request_id:
            pipeline.hsetnx(f"job:{job_id}", REQUEST_ID, request_id)
        pipeline.expireat(f"job:{job_id}", to_epoch(deadline_at) + 86_400)  # as runstate.lua does with the other keys
        pipeline.sadd("active", job_id)
        pipeline.execute()

    def within_run(self, job_id: str) -> AbstractContextManager[str | None]:
        """Inside, the job is the run that it has now: once that is over, it has ended, whoever may have begun it again.

        Gives the id of the request that began the job.
        """
        return self._step.within_run(job_id)

    @speaks_redis
    def active(self) -> set[str]:
        """Ids of all jobs that have run state."""
        return {member.decode() for member in cast("set[bytes]", self.client.smembers("active"))}

    @speaks_redis
    def running_job(self, job_id: str) -> RunningJob | None:
        """The job as the run state knows it; None = it has ended."""
        pipeline = self.client.pipeline()
        pipeline.hgetall(f"job:{job_id}")
        pipeline.hlen(f"done:{job_id}")
        found, done = pipeline.execute()
        if not found or not self._step.is_within(found.get(b"run", b"")):
            return None
        return running_job(job_id, {name: value for name, value in found.items() if name != REQUEST_ID.encode()}, done)

    @speaks_redis
    def name_queues(
        self, job_id: str, queues: Sequence[str], issued_at: datetime, *, planned: int, heavy: int = 0, project: str = ""
    ) -> None:
        """Name the job's queues, once; they wait for their turn.

        Args:
            job_id: of the job.
            queues: in the order in which they are let in.
            issued_at: of their forecasts.
            planned: candidates expected per queue until its data have been seen.
            heavy: how many of these are heavy.
            project: whose turn the job takes.
        """
        keys = [f"job:{job_id}", f"queues:{job_id}"]
        self._step("name_queues", keys, json.dumps(list(queues)), to_epoch(issued_at), planned, heavy, project)

    @speaks_redis
    def drop_job(self, job_id: str) -> None:
        """Delete all that the job has here; late tasks find no job hash and leave nothing behind."""
        self._step("drop", [f"job:{job_id}", f"queues:{job_id}"], job_id, json.dumps(_PER_JOB), json.dumps(_PER_QUEUE))

    # A queue's work

    @speaks_redis
    def keep_work(self, job_id: str, queue: str, snapshot: bytes, work: QueueWork) -> QueueWork | None:
        """Keep snapshot and candidates of a queue; returns the first writer's work, None = the job or queue has ended."""
        keys = [f"job:{job_id}", f"data:{job_id}:{queue}", f"candidates:{job_id}:{queue}", f"done:{job_id}", f"waiting:{job_id}"]
        self._step("keep_work", keys, snapshot, to_json(work), len(work.candidates), queue)
        return self.work(job_id, queue)

    @speaks_redis
    def work(self, job_id: str, queue: str) -> QueueWork | None:
        """What is to be done for the queue; None = not ingested yet, or it has ended."""
        text = cast("bytes | None", self.client.get(f"candidates:{job_id}:{queue}"))
        return from_json(QueueWork, text) if text else None

    @speaks_redis
    def snapshot(self, job_id: str, queue: str) -> bytes | None:
        """The snapshot's bytes; None = not ingested yet, or it has ended."""
        return cast("bytes | None", self.client.get(f"data:{job_id}:{queue}"))

    @speaks_redis
    def begin(self, job_id: str, queue: str, what: str) -> int:
        """Count an attempt at `what` (a candidate's index, "ingest", "select.{index}") before it starts.

        Returns its number (1, 2, …), or 0 when there is nothing to do: the job or the queue has ended, or the outcome is there.
        """
        keys = [f"job:{job_id}", f"done:{job_id}", *(f"{kind}:{job_id}:{queue}" for kind in ("outcome", "attempt"))]
        return cast("int", self._step("begin", keys, queue, what))

    @speaks_redis
    def forgive(self, job_id: str, queue: str, what: str) -> None:
        """Uncount an attempt that ended in an orderly way: the counter is there for what kills its process."""
        self._step("forgive", [f"job:{job_id}", f"attempt:{job_id}:{queue}"], what)

    @speaks_redis
    def record(self, job_id: str, queue: str, index: int, outcome: Outcome) -> int:
        """Keep a candidate's outcome, first writer wins; returns how many the queue has now, -1 = it has ended."""
        keys = [f"job:{job_id}", f"outcome:{job_id}:{queue}", f"done:{job_id}"]
        return cast("int", self._step("record", keys, index, to_json(outcome), int(isinstance(outcome, Failure)), queue))

    @speaks_redis
    def record_and_begin(self, job_id: str, queue: str, index: int, outcome: Outcome, then: int) -> int:
        """`record` one candidate and `begin` the candidate `then`, in one round trip; returns the number of its attempt, or 0."""
        keys = [f"job:{job_id}", f"outcome:{job_id}:{queue}", f"done:{job_id}", f"attempt:{job_id}:{queue}"]
        is_failure = int(isinstance(outcome, Failure))
        return cast("int", self._step("record_and_begin", keys, index, to_json(outcome), is_failure, queue, then))

    @speaks_redis
    def outcomes(self, job_id: str, queue: str) -> dict[int, Outcome]:
        """Candidate's index → its outcome; none once the queue has ended."""
        found = cast("dict[bytes, bytes]", self.client.hgetall(f"outcome:{job_id}:{queue}"))
        return {int(index): from_json(Outcome, text) for index, text in sorted(found.items(), key=lambda item: int(item[0]))}

    @speaks_redis
    def end_queue(self, job_id: str, queue: str, reason: str = "") -> bool:
        """End a queue: with its forecast delivered, or for a reason; whether this call did it. Its work and outcomes go."""
        per_job = [f"{kind}:{job_id}" for kind in ("job", "done", "waiting")]
        keys = [*per_job, *(f"{kind}:{job_id}:{queue}" for kind in _PER_QUEUE)]
        return bool(self._step("end_queue", keys, queue, reason))

    @speaks_redis
    def queue_end(self, job_id: str, queue: str) -> str | None:
        """The reason why the queue has none, "" when its forecast is delivered, None while it has not ended."""
        end = cast("bytes | None", self.client.hget(f"done:{job_id}", queue))
        return None if end is None else end.decode()

    @speaks_redis
    def is_released(self, job_id: str, queue: str) -> bool:
        """Whether the queue has been let in."""
        return bool(self.client.hexists(f"released:{job_id}", queue))

    @speaks_redis
    def queue_states(self, job_id: str) -> dict[str, tuple[QueueState, str | None]]:
        """Queue → its state, and the reason when it failed; in the order of release."""
        pipeline = self.client.pipeline()
        pipeline.lrange(f"queues:{job_id}", 0, -1)
        pipeline.hkeys(f"released:{job_id}")
        pipeline.hgetall(f"done:{job_id}")
        names, released, done = pipeline.execute()
        return {name.decode(): queue_state(name, set(released), done) for name in names}

    @speaks_redis
    def note_waiting(self, job_id: str, queue: str, reason: str) -> None:
        """Remember what the queue ("" = the plan) waits for; nothing of a job or queue that has ended."""
        self._step("note_waiting", [f"{kind}:{job_id}" for kind in ("job", "waiting", "done")], queue, reason)

    @speaks_redis
    def waiting_for(self, job_id: str) -> dict[str, str]:
        """Queue → what it waits for; "" is the plan."""
        found = cast("dict[bytes, bytes]", self.client.hgetall(f"waiting:{job_id}"))
        return {queue.decode(): reason.decode() for queue, reason in found.items()}

    @speaks_redis
    def running_queues(self, job_id: str) -> list[RunningQueue]:
        """All queues that have been let in and have not ended."""
        states = self.queue_states(job_id)
        names = [name for name, (state, _reason) in states.items() if state is QueueState.RUNNING]
        pipeline = self.client.pipeline()
        for name in names:
            pipeline.get(f"candidates:{job_id}:{name}")
            pipeline.hkeys(f"outcome:{job_id}:{name}")
        found = iter(pipeline.execute())
        return [running_queue(name, next(found), next(found)) for name in names]

    def lock(self, role: str, seconds: float) -> Lock:
        """A lock that one process may hold, and renew, for `seconds` at a time."""
        lock: Lock = self.client.lock(role, timeout=seconds, blocking=False)
        return lock

    @speaks_redis
    def holds(self, lock: Lock) -> bool:
        """Take or renew the lock; whether it is ours now."""
        try:
            return bool(lock.reacquire() if lock.owned() else lock.acquire())
        except LockError:  # it ran out, and another one took it in between
            return False
