"""What to do about jobs that do not get on by themselves: a pure table from what is seen to what is done.

Any message may be lost, and whoever was to send it may be dead. A case counts when two looks some seconds apart agree, because
a message is nowhere for a moment while it is taken. A needless action is harmless: every step finds out whether there is
anything to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.jobs import JobState
from shared.domain.lanes import Lane
from shared.fleet.runstate.values import RunningJob, RunningQueue
from worker.fleet.task_ids import block_id, ingest_id, plan_id, read_id, select_id, solo_id

HELD_SECONDS = 10.0  # so long a message that has been taken counts as being worked on, whoever took it
BROKER_UP_SECONDS = 15  # so long after its start the broker's view of the workers is not to be trusted


class ActionKind(StrEnum):
    """The actions."""

    CLEAN_UP = "clean_up"  # run state of a job that has ended, or that nobody knows
    REPLAN = "replan"  # an open job without run state
    PASS_DEADLINE = "pass_deadline"  # noqa: S105 - to pass, not to log in
    FINISH = "finish"
    SEND_PLAN = "send_plan"
    SEND_READ = "send_read"
    SEND_INGEST = "send_ingest"
    SEND_SELECT = "send_select"
    SEND_SOLO = "send_solo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do; equal actions of two looks are the same case."""

    kind: ActionKind
    job_id: str
    queue: str = ""
    index: int = -1
    lane: Lane = Lane.SCORE  # of the candidate `index`
    lost: str = ""  # id of the task whose message is nowhere

    @property
    def task_id(self) -> str:
        """Id of the task that is sent in its place: candidates of a lost block go on one by one."""
        return solo_id(self.job_id, self.queue, self.index) if self.kind is ActionKind.SEND_SOLO else self.lost

    def about(self) -> dict[str, str | int]:
        """What its log line tells, without what it has not."""
        told = {"job_id": self.job_id, "queue": self.queue, "lost": self.lost, "task_id": self.task_id}
        return {name: value for name, value in told.items() if value} | ({} if self.index < 0 else {"index": self.index})

    queued_at: datetime | None = None  # of the job's run: what was seen of an earlier one says nothing of it


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """One job as it is seen: its row, its run state, the queues that run."""

    job_id: str
    state: JobState | None  # None = no row
    deadline_at: datetime | None
    running: RunningJob | None  # None = no run state
    queues: tuple[RunningQueue, ...] = ()
    project: str = ""  # whose turn it takes
    queued_at: datetime | None = None  # when it was tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksView:
    """All messages as they are seen; `held` says since when, in epoch seconds."""

    waiting: frozenset[str]
    held: Mapping[str, float]
    working: frozenset[str]  # ids of those that a living worker says it has
    broker_uptime_seconds: int

    def is_alive(self, task_id: str, now: datetime) -> bool:
        """Whether somebody will run the task, or runs it: not when its worker is dead, or has lost it with its connection.

        Args:
            task_id: of the message.
            now: by the clock of the workers.
        """
        if task_id in self.waiting:
            return True
        if task_id not in self.held:
            return False
        is_fresh = now.timestamp() - self.held[task_id] < HELD_SECONDS or self.broker_uptime_seconds < BROKER_UP_SECONDS
        return is_fresh or task_id in self.working


def actions_for(job: JobView, tasks: TasksView, now: datetime) -> Iterator[Action]:
    """What there is to do for one job; nothing when it gets on."""
    if job.state is None or job.state.is_terminal:
        if job.running is not None:
            yield Action(kind=ActionKind.CLEAN_UP, job_id=job.job_id)
    elif job.deadline_at is not None and job.deadline_at <= now:
        yield Action(kind=ActionKind.PASS_DEADLINE, job_id=job.job_id)
    elif job.running is None:
        yield Action(kind=ActionKind.REPLAN, job_id=job.job_id)
    elif job.running.has_ended_all:
        yield Action(kind=ActionKind.FINISH, job_id=job.job_id)
    else:
        if not job.running.is_planned and not tasks.is_alive(plan_id(job.job_id), now):
            yield Action(kind=ActionKind.SEND_PLAN, job_id=job.job_id, lost=plan_id(job.job_id))
        for queue in job.queues:
            yield from _for_queue(job.job_id, queue, tasks, now)


def orphans(tasks: TasksView, open_jobs: Collection[str], now: datetime) -> list[str]:
    """Ids of the messages that were taken a while ago and belong to no open job.

    Whoever works on one will find nothing to do; that of a dead worker would only wait for its visibility timeout, for nothing.
    """
    living = tuple(f"{job_id}." for job_id in open_jobs)
    old = now.timestamp() - HELD_SECONDS
    return [task_id for task_id, since in tasks.held.items() if since < old and not task_id.startswith(living)]


def _for_queue(job_id: str, queue: RunningQueue, tasks: TasksView, now: datetime) -> Iterator[Action]:
    name = queue.queue
    is_ingesting = tasks.is_alive(ingest_id(job_id, name), now)
    if queue.blocks is None:
        yield from _to_read(job_id, queue, tasks, now)
        return
    missing = [
        (index, block) for block in queue.blocks for index in range(block.first, block.last + 1) if index not in queue.outcomes
    ]
    if not missing:
        selects = (select_id(job_id, name), select_id(job_id, name, is_heavy=True))
        if not any(tasks.is_alive(task_id, now) for task_id in selects):
            yield Action(kind=ActionKind.SEND_SELECT, job_id=job_id, queue=name, lost=selects[0])
    elif not is_ingesting:
        for index, block in missing:
            task_ids = (block_id(job_id, name, block), solo_id(job_id, name, index))
            if not any(tasks.is_alive(task_id, now) for task_id in task_ids):
                yield Action(kind=ActionKind.SEND_SOLO, job_id=job_id, queue=name, index=index, lane=block.lane, lost=task_ids[0])


def _to_read(job_id: str, queue: RunningQueue, tasks: TasksView, now: datetime) -> Iterator[Action]:
    """Of a queue that is not ingested: its block comes first, and whoever reads that has it ingested."""
    if queue.awaited is not None:
        if not tasks.is_alive(read_id(job_id, queue.awaited), now):
            yield Action(kind=ActionKind.SEND_READ, job_id=job_id, index=queue.awaited, lost=read_id(job_id, queue.awaited))
    elif not tasks.is_alive(ingest_id(job_id, queue.queue), now):
        yield Action(kind=ActionKind.SEND_INGEST, job_id=job_id, queue=queue.queue, lost=ingest_id(job_id, queue.queue))
