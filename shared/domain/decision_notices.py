"""What others are told of decisions: of each queue, or parent, and kind one notice a day. No data, no names of tokens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from shared.domain.codec import Document
from shared.domain.likelihood import Likelihood
from shared.domain.notices import Notice, NoticeKind
from shared.domain.policies import Group
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Effect, Proposal
from shared.domain.recommendations import Recommendation

SOON = timedelta(hours=2)  # before its end a proposal that nobody has decided on is said to expire
EXPECTED = frozenset({Likelihood.ABOUT_75, Likelihood.ABOUT_90, Likelihood.ABOVE_95, Likelihood.LIKELY})
UNDECIDED = frozenset({ProposalState.PROPOSED, ProposalState.APPROVED, ProposalState.EXPORTED})


def notices_of(proposal: Proposal, now: datetime) -> Iterator[Notice]:
    """Of a decision that was just made: that it was, where it changes anything; and each queue that will be short."""
    if proposal.changes:
        yield _notice(NoticeKind.PROPOSAL_MADE, proposal.group, proposal.parent or proposal.job, now, _about(proposal))
    found = [*(change.binding_recommendation for change in proposal.changes), *proposal.kept]
    for each in found:
        if each.before.likelihood in EXPECTED:
            about = _place(proposal.group) | {"decision_id": proposal.decision_id, **_breach(each)}
            yield _notice(NoticeKind.BREACH_EXPECTED, proposal.group, each.queue, now, {"breach": about})


def notice_of_end(proposal: Proposal, now: datetime) -> Notice | None:
    """Of a proposal that is about to expire; None = it is not, or it needs nobody any more."""
    if proposal.state not in UNDECIDED or not proposal.end_at - SOON <= now < proposal.end_at:
        return None
    about = _about(proposal) | {"valid_until": proposal.end_at.isoformat()}
    return _notice(NoticeKind.PROPOSAL_EXPIRING, proposal.group, proposal.parent or proposal.job, now, about)


def notice_of_effect(proposal: Proposal, effect: Effect, now: datetime) -> Notice:
    """Of what came of a proposal that was put into force."""
    score = {
        "days": effect.days,
        "unit": proposal.cost.unit,
        "expected": effect.expected,
        "real": effect.real,
        "without": effect.without,
        "wrong_cuts": list(effect.wrong_cuts),
    }
    subject = f"{proposal.parent or proposal.job} {effect.days}"
    return _notice(NoticeKind.EFFECT_SCORED, proposal.group, subject, now, _about(proposal) | {"effect": score})


def _about(proposal: Proposal) -> Document:
    own = {"decision_id": proposal.decision_id, "state": proposal.state.value, "sentence": proposal.sentence}
    return {"decision": _place(proposal.group) | own | {"queues": list(proposal.queues)}}


def _place(group: Group) -> Document:
    return {"cluster": group.cluster, "project": group.project, "parent": group.parent, "partition": group.partition}


def _breach(found: Recommendation) -> Document:
    before = found.before
    return {
        "queue": found.queue,
        "start_at": found.start_at.isoformat(),
        "end_at": found.end_at.isoformat(),
        "likelihood": None if before.likelihood is None else before.likelihood.value,
        "hours": before.hours,
        "shortfall": before.shortfall,
        "unit": found.work_unit,
    }


def _notice(kind: NoticeKind, group: Group, subject: str, now: datetime, told: Document) -> Notice:
    digest = sha256("\n".join([*group, subject]).encode()).hexdigest()[:16]
    return Notice(
        notice_id=f"{kind}.{now:%Y%m%d}.{digest}",
        job_id="",
        run_at=now,
        created_at=now,
        due_at=now,
        told=told,
        kind=kind,
        project=group.project or None,
    )
