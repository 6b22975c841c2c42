"""What people do with decisions: approve, reject and export them. Each step once, by whoever may, with its trace."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import request

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.identity import caller
from api.edge.policy import Policy
from api.edge.routing import route
from api.schema.decisions import DecisionAnswer, ExportAnswer, RejectBody, StepBody
from api.v1.decision_answers import decision_answer, files_of
from api.v1.decision_rules import ACTIONS, visible_proposal
from shared.decisions import carry
from shared.domain.proposals import Proposal, Step
from shared.domain.tokens import Scope
from shared.errors import ProposalForbids

DECIDE = Policy(needs=Scope.APPROVE, is_audited=True)
CARRIED = Answers(DecisionAnswer, refuses=(409,))


@route("POST", "/v1/decisions/<decision_id>/approve", DECIDE, CARRIED)
def approve_decision(services: Services, decision_id: str, json: StepBody) -> DecisionAnswer:
    """Approve a decision, so that it may be handed over.

    Who has asked for it by hand does not approve it, and where its policy names owners nobody else does.
    """
    return decision_answer(services, carried(services, decision_id, "approve", json.reason), datetime.now(UTC))


@route("POST", "/v1/decisions/<decision_id>/reject", DECIDE, CARRIED)
def reject_decision(services: Services, decision_id: str, json: RejectBody) -> DecisionAnswer:
    """Reject a decision, saying why; of one that is approved or exported this takes the approval back."""
    return decision_answer(services, carried(services, decision_id, "reject", json.reason), datetime.now(UTC))


@route("POST", "/v1/decisions/<decision_id>/export", DECIDE, Answers(ExportAnswer, refuses=(409,)))
def export_decision(services: Services, decision_id: str, json: StepBody) -> ExportAnswer:
    """Hand a decision over: it is exported from now on, and its files are listed with what they have to come to."""
    proposal = carried(services, decision_id, "export", json.reason)
    files, _ = files_of(services, proposal)
    return ExportAnswer(decision_id=decision_id, state=proposal.state, files=files)


def carried(services: Services, decision_id: str, name: str, reason: str) -> Proposal:
    """The proposal after an action of the caller's, done once; what is in its way is looked at in the very moment of the step.

    Raises ProposalNotFound, and what the action's check does.
    """
    action, who, now = ACTIONS[name], caller(), datetime.now(UTC)
    proposal = visible_proposal(services, decision_id)
    if action.is_done(proposal):
        return proposal
    source = request.remote_addr or ""
    step = Step(state=action.state, at=now, who=who.caller_id, name=who.name, reason=reason.strip(), source=source)
    try:
        return carry(services.store, decision_id, step, lambda known: action.check(services, known, now))
    except ProposalForbids:
        if action.is_done(meanwhile := visible_proposal(services, decision_id)):  # the same, sent twice at once
            return meanwhile
        raise
