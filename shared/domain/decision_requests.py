"""Decisions that are to be made: asked for by a person, or because a job has ended whose forecasts may say what to change.

asked ──▶ a task is sent ──▶ decided | nothing to decide on | failed, with a sentence
             ▲      │
             └──────┘  lost, or its worker is: sent again with growing pauses, at most MAX_SENT times
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.audits import AUTOMATIC
from shared.domain.jobs import Job, JobState
from shared.domain.policies import Group, Policy
from shared.domain.proposals import decision_id
from shared.domain.runs import Run

FIRST_PAUSE, MAX_PAUSE = timedelta(minutes=1), timedelta(minutes=10)
MAX_SENT = 5
LOOK_BACK = timedelta(days=1)  # so far, or a step, a job that is decided on may look back: data often end some hours ago
NOBODY = f"it was asked for {MAX_SENT} times and nobody has finished it: look at the workers' logs, and ask again"


class Outcome(StrEnum):
    """What came of it."""

    DECIDED = "decided"  # the proposal of this id says what
    NOTHING = "nothing"  # there is nothing that can be decided on; `error` says why
    FAILED = "failed"  # `error` says why


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRequest:
    """One of them. Times are aware UTC.

    decision_id: of the proposal that is to come, where a person has asked; else of the run of the job.
    horizon_hours: so much of what is forecast counts; None = all of it.
    policy: that it is made with, in place of what holds; owners and freezes stay as they are. None = what holds.
    undoes: the decision that is in force, and whose inverse is to be proposed; "" = a new one is to be made.
    asked_by, name: id and name of the token; AUTOMATIC = a job's end did, which is that of `job_id`.
    due_at: when the task is sent again; None = it is over.
    sent: how often the task was sent.
    """

    decision_id: str
    project: str
    cluster: str
    parent: str
    partition: str
    horizon_hours: float | None = None
    policy: Policy | None = None
    undoes: str = ""
    asked_at: datetime
    asked_by: str
    name: str
    job_id: str = ""
    due_at: datetime | None
    sent: int = 1
    outcome: Outcome | None = None
    error: str = ""
    ended_at: datetime | None = None

    @property
    def group(self) -> Group:
        """The queues that are to be decided on; of a job all that are in it."""
        return Group(self.project, self.cluster, self.parent, self.partition)

    @property
    def is_by_hand(self) -> bool:
        """Whether a person has asked."""
        return self.asked_by != AUTOMATIC


def asked_by_hand(
    group: Group,
    asked_at: datetime,
    token_id: str,
    name: str,
    horizon_hours: float | None = None,
    *,
    policy: Policy | None = None,
    undoes: str = "",
) -> DecisionRequest:
    """What a person asks for; the same within a second is the same."""
    return DecisionRequest(
        decision_id=decision_id(group, asked_at.replace(microsecond=0), token_id, undoes),
        **group._asdict(),
        horizon_hours=horizon_hours,
        policy=policy,
        undoes=undoes,
        asked_at=asked_at,
        asked_by=token_id,
        name=name,
        due_at=asked_at + FIRST_PAUSE,
    )


def may_decide(job: Job, state: JobState) -> bool:
    """Whether forecasts of a job that ends so may be decided on; whether they have limits is known to who looks at them."""
    return job.run is not Run.ACTUALS and state in {JobState.SUCCEEDED, JobState.PARTIAL} and not looks_back(job)


def looks_back(job: Job) -> bool:
    """Whether it tells how things stood earlier, by its `as_of` or as a late retry of what was asked for then.

    A forecast of days reaches weeks ahead of where it was made, so that its age in steps alone does not tell it.
    """
    stood_at = job.request.as_of or job.created_at
    return job.asked_at - stood_at > max(LOOK_BACK, timedelta(seconds=job.request.step_seconds))


def asked_by_job(job: Job, now: datetime) -> DecisionRequest:
    """What the end of this run of a job asks for."""
    return DecisionRequest(
        decision_id=f"{job.job_id}.{job.asked_at:%Y%m%dT%H%M%S%f}",
        **Group(job.request.project, job.request.cluster, "")._asdict(),
        asked_at=now,
        asked_by=AUTOMATIC,
        name=AUTOMATIC,
        job_id=job.job_id,
        due_at=now + FIRST_PAUSE,
    )


def sent_again(request: DecisionRequest, now: datetime) -> DecisionRequest:
    """The request after its task was sent once more; sent often enough it has failed."""
    if request.sent >= MAX_SENT:
        return ended(request, Outcome.FAILED, NOBODY, now)
    return replace(request, sent=request.sent + 1, due_at=now + min(MAX_PAUSE, FIRST_PAUSE * 2**request.sent))


def ended(request: DecisionRequest, outcome: Outcome, error: str, now: datetime) -> DecisionRequest:
    """The request with what came of it."""
    return replace(request, outcome=outcome, error=error, due_at=None, ended_at=now)
