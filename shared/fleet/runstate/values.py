"""What the run state says, as values: a running job, a queue that still runs, a worker that lives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import structlog

from shared.domain.codec import from_json
from shared.domain.forecasts import Block, QueueWork
from shared.domain.jobs import Progress, QueueState, Tally
from shared.domain.timegrid import from_epoch
from shared.errors import reason_of

SKIPPED = "skipped: "  # before the reason of a queue that fails nothing

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningJob:
    """What the run state says of one job as a whole."""

    job_id: str
    progress: Progress
    deadline_at: datetime
    issued_at: datetime | None = None  # None until the job is planned
    queues: int | None = None  # likewise
    next: int = 0  # how many queues have been let in
    done: int = 0

    @property
    def is_planned(self) -> bool:
        """Whether its queues have been named."""
        return self.queues is not None

    @property
    def has_waiting(self) -> bool:
        """Whether queues of it wait to be let in."""
        return self.next < (self.queues or 0)

    @property
    def has_ended_all(self) -> bool:
        """Whether every queue has ended."""
        return self.queues is not None and self.done >= self.queues


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many queues may run at a time, of all jobs: there is room while one of these numbers has not been reached."""

    always: int  # queues, whatever they cost
    few: int  # queues, while all of them together have fewer than `few_tasks` candidates
    few_tasks: int
    score_tasks: int  # candidates
    heavy_tasks: int  # heavy candidates, for jobs that have any


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCome:
    """What waits to be let in."""

    queues: int
    heavy_tasks: int  # of these queues: each heavy candidate is a message of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class LivingWorker:
    """A worker whose event loop turns."""

    worker_id: str
    lanes: tuple[str, ...]
    slots: int
    version: str = ""  # of Queuecast; "" = one that does not say it yet
    tasks: frozenset[str] = frozenset()  # ids of those that it has taken: running, waiting for a slot, or for their time
    addresses: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of each connection, as it calls them


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """Of queues that are read together: the block that must be read before a queue is ingested, and those to begin with now."""

    awaited: int | None = None
    begins: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningQueue:
    """A queue that has been let in and has not ended, as the reaper must see it."""

    queue: str
    blocks: tuple[Block, ...] | None  # None = not ingested yet
    outcomes: frozenset[int] = frozenset()  # indices of the candidates that have one
    awaited: int | None = None  # the block that must be read before it is ingested


def running_job(job_id: str, values: Mapping[bytes, bytes], done: int) -> RunningJob | None:
    """The job that its hash and its number of ended queues describe; None = they cannot be read, which is as good as lost."""
    try:
        return _described(job_id, {name.decode(): int(value) for name, value in values.items()}, done)
    except (ValueError, LookupError, OverflowError) as error:  # the reaper plans the job again, once
        log.warning("the run state of a job cannot be read", job_id=job_id, reason=reason_of(error))
        return None


def _described(job_id: str, numbers: Mapping[str, int], done: int) -> RunningJob:
    queues = Tally(total=numbers.get("queues", 0), done=done, failed=numbers.get("queues_failed", 0))
    candidates = Tally(**{part: numbers.get(f"candidates_{part}", 0) for part in ("total", "done", "failed")})
    return RunningJob(
        job_id=job_id,
        deadline_at=from_epoch(numbers["deadline_at"]),
        issued_at=from_epoch(numbers["issued_at"]) if "issued_at" in numbers else None,
        queues=numbers.get("queues"),
        next=numbers.get("next", 0),
        done=done,
        progress=Progress(queues=queues, candidates=candidates),
    )


def queue_state(name: bytes, released: Collection[bytes], done: Mapping[bytes, bytes]) -> tuple[QueueState, str | None]:
    """State of one queue, and the reason when it has ended without a forecast."""
    if name in done:
        reason = done[name].decode()
        if reason.startswith(SKIPPED):
            return QueueState.SKIPPED, reason.removeprefix(SKIPPED)
        return (QueueState.FAILED, reason) if reason else (QueueState.SUCCEEDED, None)
    return (QueueState.RUNNING if name in released else QueueState.WAITING), None


@lru_cache(maxsize=8)  # of the queues that run at a time; each of their tasks asks
def queue_work(text: bytes) -> QueueWork:
    """What there is to do for a queue, as the run state keeps it."""
    return from_json(QueueWork, text)


def running_queue(name: str, work: bytes | None, outcomes: Collection[bytes]) -> RunningQueue:
    """The queue that its keys describe."""
    return RunningQueue(
        queue=name, blocks=from_json(QueueWork, work).blocks if work else None, outcomes=frozenset(map(int, outcomes))
    )
