"""Notices: what others are told when a run of a job ends, or when chances have not held; each is kept until all have it.

One for each run of a job, written before the job's own row says that it has ended, so that none gets lost in between; whoever
sends it looks at the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.calibration import MAX_ERROR, Calibration
from shared.domain.codec import Document
from shared.domain.jobs import Job, JobState

FIRST_PAUSE, MAX_PAUSE = timedelta(seconds=10), timedelta(hours=1)
KEEP_TRYING = timedelta(days=1)


class NoticeKind(StrEnum):
    """What has happened."""

    JOB_SUCCEEDED = "job_succeeded"
    JOB_PARTIAL = "job_partial"
    JOB_FAILED = "job_failed"
    CALIBRATION_LOST = "calibration_lost"
    BREACH_EXPECTED = "breach_expected"
    PROPOSAL_MADE = "proposal_made"
    PROPOSAL_EXPIRING = "proposal_expiring"
    EFFECT_SCORED = "effect_scored"


KINDS = {
    JobState.SUCCEEDED: NoticeKind.JOB_SUCCEEDED,
    JobState.PARTIAL: NoticeKind.JOB_PARTIAL,
    JobState.FAILED: NoticeKind.JOB_FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Of the end of one run of a job, or, where it has a `told`, of that. Times are aware UTC.

    due_at: when it is tried next; None = there is nothing to do any more.
    receivers: names of the connections that do not have it yet; None = nobody has looked yet who they are.
    """

    notice_id: str
    job_id: str
    run_at: datetime  # when that run was asked for
    created_at: datetime
    due_at: datetime | None
    receivers: tuple[str, ...] | None = None
    attempts: int = 0
    lost: tuple[str, ...] = ()  # receivers that never took it
    error: str = ""  # why the last of them did not
    told: Document = field(
        default_factory=dict
    )  # what stands in the body beside id and kind; of a job, that is told as it stands
    kind: NoticeKind = NoticeKind.CALIBRATION_LOST  # of what is `told`
    project: str | None = None  # whose it is; None = it concerns all of them


def notice_of(job: Job, now: datetime) -> Notice:
    """The notice that this run of the job ends."""
    run = f"{job.asked_at:%Y%m%dT%H%M%S%f}"
    return Notice(notice_id=f"{job.job_id}.{run}", job_id=job.job_id, run_at=job.asked_at, created_at=now, due_at=now)


def notice_of_calibration(verdict: Calibration, now: datetime) -> Notice:
    """The notice that chances are told in words from now on; one a day."""
    about = {"queue_days": verdict.days, "error": verdict.error, "accepted": MAX_ERROR, "since": now.isoformat()}
    notice_id = f"{NoticeKind.CALIBRATION_LOST}.{now:%Y%m%d}"
    return Notice(notice_id=notice_id, job_id="", run_at=now, created_at=now, due_at=now, told={"calibration": about})


def body_of_told(notice: Notice) -> Document:
    """What receivers are told of what is no job."""
    return {"id": notice.notice_id, "kind": notice.kind.value, **notice.told}


def body_of(notice: Notice, job: Job) -> Document:
    """What receivers are told: ids, names, state and counts, no data; raises KeyError where the job has not ended like that."""
    queues = job.progress.queues
    about = {
        "job_id": job.job_id,
        "job_name": job.request.job_name,
        "project": job.request.project,
        "cluster": job.request.cluster,
        "run": job.run.value,
        "schedule_id": job.schedule_id,
        "state": job.state.value,
        "reason": job.reason,
        "queues": {"total": queues.total, "done": queues.done, "failed": queues.failed},
        "ended_at": job.ended_at.isoformat() if job.ended_at else None,
    }
    return {"id": notice.notice_id, "kind": KINDS[job.state].value, "job": about}


def tried(notice: Notice, left: Sequence[str], error: str, now: datetime) -> Notice:
    """The notice after a try that these did not take: due again after a pause that doubles, or lost to them after a day."""
    if not left:
        return replace(notice, receivers=(), due_at=None)
    pause = min(MAX_PAUSE, FIRST_PAUSE * 2 ** min(notice.attempts, 20))
    again = replace(notice, receivers=tuple(left), attempts=notice.attempts + 1, error=error, due_at=now + pause)
    return (
        again if now + pause <= notice.created_at + KEEP_TRYING else replace(again, receivers=(), lost=tuple(left), due_at=None)
    )
