"""Decisions whose task is lost are sent again, and end after a while: whoever has asked for one gets an answer.

Proposals whose time is over expire, those that are being applied are looked after until they are not, and what somebody has not
lived to write into the audit trail is written. Of proposals that are about to expire people are told.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from shared.decisions import carry, keep_trail
from shared.domain.decision_notices import SOON, notice_of_end
from shared.domain.decision_requests import sent_again
from shared.domain.policy_changes import entry_of
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Step
from shared.errors import ProposalForbids
from worker.fleet import workflow
from worker.job.resources import Resources

MAX_SENT = 100  # at a look
APPLYING_EVERY = timedelta(minutes=1)  # a proposal that is being applied is looked after
TRAIL_EVERY, TRAIL_AFTER = timedelta(minutes=1), timedelta(hours=1)  # for so long after its last step
MAX_TRAILS = 50  # the newest proposals
FIRST = datetime(1970, 1, 1, tzinfo=UTC)

log = structlog.get_logger(__name__)


@dataclass
class Rounds:
    """When what is looked at less often than at each look is due. told: ids of proposals that are said to expire."""

    applying: dict[str, datetime] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    trail_at: datetime = FIRST


def look(resources: Resources, now: datetime, rounds: Rounds) -> None:
    """All of it; raises ServiceError."""
    send_lost(resources, now, workflow.send_decide)
    expire(resources, now)
    tell_expiring(resources, now, rounds)
    send_applying(resources, now, rounds, workflow.send_apply)
    if now >= rounds.trail_at:
        _keep_trails(resources, now)
        rounds.trail_at = now + TRAIL_EVERY


def _keep_trails(resources: Resources, now: datetime) -> None:
    """Write the rows that somebody has not lived to write; what was done in this moment is still being written."""
    for proposal in resources.store.proposals.find(limit=MAX_TRAILS):
        if now - proposal.steps[-1].at < TRAIL_AFTER:
            keep_trail(resources.store, proposal)
    for policy in resources.store.policies.find(None):
        if policy.changed_at is not None and TRAIL_EVERY < now - policy.changed_at < TRAIL_AFTER:
            resources.store.audits.add(entry_of(policy))


def expire(resources: Resources, now: datetime) -> None:
    """Close what nobody has put into force in its time."""
    for proposal in resources.store.proposals.over(now, MAX_SENT):
        with suppress(ProposalForbids):  # somebody has carried it on meanwhile
            carry(resources.store, proposal.decision_id, Step(state=ProposalState.EXPIRED, at=now, reason="its time is over"))


def tell_expiring(resources: Resources, now: datetime, rounds: Rounds) -> None:
    """Keep a notice of each proposal that expires soon, and that nobody has put into force."""
    proposals = resources.store.proposals
    soon = set(proposals.ending(now, now + SOON))
    for decision_id in soon - rounds.told:  # it is read once, and not at every look
        if (notice := notice_of_end(proposals.get(decision_id), now)) is not None:
            resources.store.notices.add(notice)
    rounds.told = soon


def send_applying(resources: Resources, now: datetime, rounds: Rounds, send: Callable[[str], None]) -> None:
    """Have somebody look after what is being applied for a minute or more: its message may be lost, or its worker."""
    found = resources.store.proposals.find(states=[ProposalState.APPLYING])
    due = {proposal.decision_id: proposal.steps[-1].at + APPLYING_EVERY for proposal in found}
    rounds.applying = {decision_id: rounds.applying.get(decision_id, at) for decision_id, at in due.items()}
    for decision_id, at in rounds.applying.items():
        if now >= at:
            rounds.applying[decision_id] = now + APPLYING_EVERY
            log.info("a decision that is being applied is looked after", decision_id=decision_id)
            send(decision_id)


def send_lost(resources: Resources, now: datetime, send: Callable[[str], None]) -> None:
    """Send again what is due, by its id; raises ServiceError."""
    requests = resources.store.decision_requests
    for request in requests.due(now, MAX_SENT):
        again = sent_again(request, now)
        if not requests.replace(request, again):
            continue
        if again.due_at is None:
            log.error("no decision was made", decision_id=request.decision_id, reason=again.error)
        else:
            log.info("the decision is asked for again", decision_id=request.decision_id, times=again.sent)
            send(request.decision_id)
