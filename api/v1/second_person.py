"""That two people stand behind a change: who has chosen what a decision comes of does not decide on it, too."""

from __future__ import annotations

from datetime import timedelta

from api.edge.context import Services
from api.edge.identity import caller
from shared.domain.audits import JOB_DELETED
from shared.domain.proposals import Proposal
from shared.domain.timegrid import MINUTE
from shared.errors import NotFound, SecondPersonNeeded
from shared.store.schedules import SCHEDULES

POLICY = "policy"  # in the audit trail
LATELY = timedelta(days=1)  # a decision that is made by a job is not asked for by anybody, so the policy is what one could choose
NEW_ONE = "ask for a new one: POST /v1/decisions, `queuecast decisions make`"


def check_job(services: Services, proposal: Proposal) -> None:
    """Raises SecondPersonNeeded: it was made from a job of the caller's own, or of their schedule, whose data they have chosen.

    Where there are no tokens everybody here is the same person, whose jobs they all are.
    """
    if caller().is_local:
        return
    for job_id in proposal.forecast_jobs:
        what, made_by = _made_by(services, job_id)
        if caller().caller_id in made_by:
            raise SecondPersonNeeded(f"its forecasts are of a {what} of yours", decision_id=proposal.decision_id)


def _made_by(services: Services, job_id: str) -> tuple[str, set[str]]:
    """Whether a schedule made the job, and who made that, or the job; also of what was deleted since."""
    try:
        job = services.store.jobs.get(job_id)
    except NotFound:
        return "job", {row.before for row in services.store.audits.of(job_id) if row.what == JOB_DELETED}
    if job.schedule_id is None:
        return "job", {job.client}
    try:
        return "schedule", {services.store.get(SCHEDULES, job.schedule_id).client}
    except NotFound:
        return "schedule", {job.client}


def check_policies(services: Services, proposal: Proposal) -> None:
    """Raises SecondPersonNeeded: the caller has changed a policy that it is under, owners, bounds or freezes, within a day.

    Else one person opens the way by the policy, and then goes it; whoever has changed something after that is in no way.
    """
    who = caller()
    if who.is_local:
        return
    under = {policy.group for policy in services.store.policies.above(proposal.group)}
    for row in services.store.audits.between(proposal.created_at - LATELY):
        is_own = row.what == POLICY and row.who == who.caller_id
        if is_own and any((row.project, row.cluster, row.subject) == group[:3] for group in under):
            changed = f"you have changed the policy of {row.subject or 'its queues'} at {row.at:{MINUTE}}"
            told = f"{changed}, and decide on nothing that is made under it before {row.at + LATELY:{MINUTE}}"
            raise SecondPersonNeeded(told, decision_id=proposal.decision_id)
