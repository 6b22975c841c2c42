"""How far a job is, in words and numbers: its stage, its share, the time that is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.jobs import Job, JobState, QueueState, Tally
from shared.domain.reports import QueueReport
from shared.domain.runs import Run

MIN_PARTS = 5  # before that a pace is a guess
STAGES = {Run.REFIT: "fits the winners of the last search to the newest history", Run.ACTUALS: "reads actual values"}
# what needs a look comes first
FIRST = (QueueState.RUNNING, QueueState.FAILED, QueueState.WAITING, QueueState.SKIPPED, QueueState.SUCCEEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How far a job is at one moment."""

    stage: str
    share: float  # 0–1, while it runs: of the candidates, or of the queues where nothing is scored
    elapsed: timedelta | None  # None = nobody has begun
    left: timedelta | None  # None = it cannot be told yet, or the job has ended


def pace(job: Job, now: datetime) -> Pace:
    """How far the job is at `now`; the time left goes on at the pace so far, and never beyond the deadline."""
    elapsed = (job.ended_at or now) - job.started_at if job.started_at else None
    return Pace(stage=_stage(job), share=_share(job), elapsed=elapsed, left=_left(job, elapsed, now))


def _parts(job: Job) -> Tally:
    """What the work consists of: candidates, whose total grows as queues are let in; queues, as soon as some are done."""
    queues, candidates = job.progress.queues, job.progress.candidates
    return candidates if job.run is Run.SEARCH and queues.done < MIN_PARTS else queues


def _stage(job: Job) -> str:
    queues, candidates = job.progress.queues, job.progress.candidates
    match job.state:
        case JobState.QUEUED:
            return "waits for a worker to plan it"
        case JobState.RUNNING if not queues.total:
            return "finds out which queues there are"
        case JobState.RUNNING if job.run in STAGES:
            return STAGES[job.run]
        case JobState.RUNNING if candidates.done >= candidates.total > 0:
            return "chooses, fits the winners on the whole history, delivers"
        case JobState.RUNNING:
            return "tries the candidates on the past"
        case _:
            return "has ended"


def _share(job: Job) -> float:
    if job.state.is_terminal:
        return 1.0
    parts = _parts(job)
    return min(0.99, parts.done / parts.total) if parts.total else 0.0


def _left(job: Job, elapsed: timedelta | None, now: datetime) -> timedelta | None:
    parts = _parts(job)
    if job.state.is_terminal or elapsed is None or parts.done < MIN_PARTS:
        return None
    at_this_pace = elapsed * ((parts.total - parts.done) / parts.done)
    return max(timedelta(0), min(at_this_pace, job.deadline_at - now))


def in_order(reports: Iterable[QueueReport]) -> list[QueueReport]:
    """Queues that run or have failed first; within a state by name."""
    return sorted(reports, key=lambda report: (FIRST.index(report.state), report.queue))
