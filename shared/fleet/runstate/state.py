"""A running job and its queues, as the run state keeps them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from secrets import randbits, token_hex
from typing import Self, cast

import redis
from redis.exceptions import LockError

from shared.config.settings import Settings
from shared.domain.codec import to_json
from shared.domain.forecasts import QueueWork
from shared.domain.jobs import QueueState
from shared.domain.lanes import MAX_TASK_SECONDS
from shared.domain.timegrid import to_epoch
from shared.drivers.faults import translated
from shared.drivers.redis_roles import ask_master
from shared.drivers.redis_server import redis_client, redis_server
from shared.errors import BrokerAway
from shared.fleet.runstate.agreement import Agreement
from shared.fleet.runstate.attempts import Attempts
from shared.fleet.runstate.collections import Collections
from shared.fleet.runstate.members import Members
from shared.fleet.runstate.questions import Questions
from shared.fleet.runstate.readings import Readings
from shared.fleet.runstate.scripts import REQUEST_ID, Scripts, speaks_redis
from shared.fleet.runstate.turns import Turns
from shared.fleet.runstate.values import SKIPPED, RunningJob, RunningQueue, queue_state, queue_work, running_job, running_queue

ALONE_PATIENCE_SECONDS = 20.0
ALONE_SECONDS = 30.0  # a delivery takes a fraction of a second; who dies in one keeps others out no longer
_PER_JOB = ("job", "queues", "released", "done", "waiting", "project", "read")
_PER_QUEUE = ("candidates", "data", "outcome", "attempt", "reading")


@speaks_redis
class RunState:
    """The run state behind one client: jobs and queues here, further subjects as its parts.

    Methods raise BrokerAway when the server stays away longer than the client's patience.
    """

    def __init__(self, client: redis.Redis, task_seconds: int = MAX_TASK_SECONDS) -> None:
        self.client, self._task_seconds = client, task_seconds
        self._step = Scripts(client)
        self.within_run = self._step.within_run
        self.attempts = Attempts(client, self._step)
        self.turns, self.readings = Turns(client, self._step), Readings(client, self._step)
        self.agreement = Agreement(client, self._step)
        self.members = Members(client, self._step)
        self.questions, self.collections = Questions(client), Collections(client)

    @classmethod
    def open(cls, settings: Settings, *, is_patient: bool) -> Self:
        """Connect on first use; workers are patient, the API is not."""
        return cls(redis_client(redis_server(settings).run_state, is_patient=is_patient), settings.task_seconds)

    def ping(self) -> None:
        """A round trip to the master, for readiness and before anything is written."""
        ask_master(self.client)

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()

    def server_says(self) -> Mapping[str, object]:
        """What the server says of itself: version, role, memory, durability."""
        return cast("Mapping[str, object]", self.client.info())

    def server_time(self) -> float:
        """The server's clock, epoch seconds."""
        seconds, micros = cast("tuple[int, int]", self.client.time())
        return seconds + micros / 1e6

    # A job's life

    def begin_job(self, job_id: str, deadline_at: datetime, request_id: str | None = None) -> None:
        """Make the job a running one, asked for by this request; repeating it changes nothing."""
        pipeline = self.client.pipeline()
        pipeline.hsetnx(f"job:{job_id}", "run", str(randbits(48)))
        pipeline.hset(f"job:{job_id}", "deadline_at", str(to_epoch(deadline_at)))
        if request_id:
            pipeline.hsetnx(f"job:{job_id}", REQUEST_ID, request_id)
        pipeline.expireat(f"job:{job_id}", to_epoch(deadline_at) + 86_400)  # as scripts.lua does with the other keys
        pipeline.sadd("active", job_id)
        pipeline.execute()

    def active(self) -> set[str]:
        """Ids of all jobs that have run state."""
        return {member.decode() for member in cast("set[bytes]", self.client.smembers("active"))}

    def running_job(self, job_id: str) -> RunningJob | None:
        """The job as the run state knows it; None = it has ended."""
        pipeline = self.client.pipeline()
        pipeline.hgetall(f"job:{job_id}")
        pipeline.hlen(f"done:{job_id}")
        values, done = pipeline.execute()
        if not values or not self._step.is_within(values.get(b"run", b"")):
            return None
        return running_job(job_id, {name: value for name, value in values.items() if name != REQUEST_ID.encode()}, done)

    def name_queues(
        self,
        job_id: str,
        queues: Sequence[str],
        issued_at: datetime,
        *,
        planned: int,
        heavy: int = 0,
        project: str = "",
        block: int = 0,
    ) -> None:
        """Name the job's queues, once; they wait for their turn.

        Args:
            job_id: of the job.
            queues: in the order in which they are let in.
            issued_at: of their forecasts.
            planned: candidates expected per queue until its data have been seen.
            heavy: how many of these are heavy.
            project: whose turn the job takes.
            block: how many queues are read together; 0 = each by itself.
        """
        keys = [f"job:{job_id}", f"queues:{job_id}"]
        self._step("name_queues", keys, json.dumps(list(queues)), to_epoch(issued_at), planned, heavy, project, block)

    def drop_job(self, job_id: str) -> None:
        """Delete all that the job has here; late tasks find no job hash and leave nothing behind."""
        self._step("drop", [f"job:{job_id}", f"queues:{job_id}"], job_id, json.dumps(_PER_JOB), json.dumps(_PER_QUEUE))

    def keep_work(self, job_id: str, queue: str, snapshot: bytes, work: QueueWork) -> QueueWork | None:
        """Keep snapshot and candidates of a queue; returns the first writer's work, None = the job or queue has ended."""
        of_queue = [f"{kind}:{job_id}:{queue}" for kind in ("data", "candidates", "reading")]
        keys = [f"job:{job_id}", f"done:{job_id}", f"waiting:{job_id}", *of_queue]
        is_first = self._step("keep_work", keys, snapshot, to_json(work), len(work.candidates), queue)
        return work if is_first else self.work(job_id, queue)

    def forget_refit(self, job_id: str, queue: str) -> None:
        """Drop the work of a queue that was to be a refit, so that it is ingested anew; a search stays."""
        self._step("forget_refit", [f"job:{job_id}", *(f"{kind}:{job_id}:{queue}" for kind in ("data", "candidates"))])

    def work(self, job_id: str, queue: str) -> QueueWork | None:
        """What is to be done for the queue; None = not ingested yet, or it has ended."""
        text = cast("bytes | None", self.client.get(f"candidates:{job_id}:{queue}"))
        return queue_work(text) if text else None

    def work_and_snapshot(self, job_id: str, queue: str) -> tuple[QueueWork, bytes] | None:
        """Both, the snapshot as bytes; None = not ingested yet, or it has ended."""
        text, snapshot = cast("list[bytes | None]", self.client.mget(f"candidates:{job_id}:{queue}", f"data:{job_id}:{queue}"))
        return None if text is None or snapshot is None else (queue_work(text), snapshot)

    def end_queue(self, job_id: str, queue: str, reason: str = "", *, is_skipped: bool = False) -> bool:
        """End a queue: with its forecast delivered, or without for a reason; whether this call did it. Work and outcomes go.

        One that is being delivered is not ended for a reason.
        """
        per_job = [f"{kind}:{job_id}" for kind in ("job", "done", "waiting", "delivering")]
        keys = [*per_job, *(f"{kind}:{job_id}:{queue}" for kind in _PER_QUEUE)]
        end, is_failure = f"{SKIPPED}{reason}" if is_skipped else reason, bool(reason) and not is_skipped
        return bool(self._step("end_queue", keys, queue, end, int(time.time()), self._task_seconds, int(is_failure)))

    def begin_delivery(self, job_id: str, queue: str) -> str | None:
        """Say that a queue is being delivered; the note of it, None = it must not be: it has ended, or the job has."""
        keys = [f"{kind}:{job_id}" for kind in ("job", "done", "delivering")]
        note = f"{token_hex(4)}:{queue}"  # its own: another run of the job may be delivering the same queue
        return note if self._step("begin_delivery", keys, queue, note, int(time.time()), self._task_seconds) else None

    @contextmanager
    def alone(self, of: Sequence[str]) -> Iterator[None]:
        """Inside, no other process does what is called so, for half a minute at most: who died in there is waited for no longer.

        Raises BrokerAway: another one has been at it for longer than a delivery takes, or nobody can be asked.
        """
        name = sha256(json.dumps(list(of)).encode()).hexdigest()[:16]
        lock = self.client.lock(f"alone:{name}", timeout=ALONE_SECONDS, sleep=0.05, thread_local=False)
        with translated(BrokerAway):
            if not lock.acquire(blocking_timeout=ALONE_PATIENCE_SECONDS):
                raise BrokerAway("another process writes the same; it is waited for")
        try:
            yield
        finally:
            with suppress(LockError), translated(BrokerAway):  # it is over by itself soon
                lock.release()

    def end_delivery(self, job_id: str, note: str) -> None:
        """Say that it is over, whatever came of it."""
        self.client.hdel(f"delivering:{job_id}", note)

    def delivering(self, job_id: str) -> set[str]:
        """Queues that are being delivered, unless that began longer ago than a task may take: then it has died."""
        begun = cast("dict[bytes, bytes]", self.client.hgetall(f"delivering:{job_id}"))
        living = (note.decode() for note, since in begun.items() if int(since) > time.time() - self._task_seconds)
        return {note.partition(":")[2] or note for note in living}  # the queue alone is a note of the release before

    def queue_end(self, job_id: str, queue: str) -> str | None:
        """The reason why the queue has none, "" when its forecast is delivered, None while it has not ended."""
        end = cast("bytes | None", self.client.hget(f"done:{job_id}", queue))
        return None if end is None else end.decode()

    def is_released(self, job_id: str, queue: str) -> bool:
        """Whether the queue has been let in."""
        return bool(self.client.hexists(f"released:{job_id}", queue))

    def queue_states(self, job_id: str) -> dict[str, tuple[QueueState, str | None]]:
        """Queue → its state, and the reason when it failed; in the order of release."""
        pipeline = self.client.pipeline()
        pipeline.lrange(f"queues:{job_id}", 0, -1)
        pipeline.hkeys(f"released:{job_id}")
        pipeline.hgetall(f"done:{job_id}")
        names, released_names, done = pipeline.execute()
        released = set(released_names)
        return {name.decode(): queue_state(name, released, done) for name in names}

    def queue_state(self, job_id: str, queue: str) -> tuple[QueueState, str | None] | None:
        """State of one queue, and the reason when it failed; None = the job has no such queue, or none yet."""
        pipeline = self.client.pipeline()
        pipeline.lpos(f"queues:{job_id}", queue)
        pipeline.hexists(f"released:{job_id}", queue)
        pipeline.hget(f"done:{job_id}", queue)
        place, is_released, end = pipeline.execute()
        if place is None:
            return None
        name = queue.encode()
        return queue_state(name, {name} if is_released else (), {} if end is None else {name: end})

    def note_waiting(self, job_id: str, queue: str, reason: str) -> bool:
        """Remember what the queue ("" = the plan) waits for, not of what has ended; whether it did not wait for that before."""
        return bool(self._step("note_waiting", [f"{kind}:{job_id}" for kind in ("job", "waiting", "done")], queue, reason))

    def waiting_for(self, job_id: str) -> dict[str, str]:
        """Queue → what it waits for; "" is the plan."""
        reasons = cast("dict[bytes, bytes]", self.client.hgetall(f"waiting:{job_id}"))
        return {queue.decode(): reason.decode() for queue, reason in reasons.items()}

    def running_queues(self, job_id: str) -> list[RunningQueue]:
        """All queues that have been let in and have not ended."""
        names = [name for name, (state, _reason) in self.queue_states(job_id).items() if state is QueueState.RUNNING]
        pipeline = self.client.pipeline()
        for name in names:
            pipeline.get(f"candidates:{job_id}:{name}")
            pipeline.hkeys(f"outcome:{job_id}:{name}")
        answers = iter(pipeline.execute())
        return [running_queue(name, next(answers), next(answers)) for name in names]
