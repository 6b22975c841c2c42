"""What people do with decisions: approve, reject and export them. Each step once, by whoever may, with its trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from flask import request

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.identity import caller
from api.edge.policy import Policy
from api.edge.routing import route
from api.schema.decisions import DecisionAnswer, ExportAnswer, RejectBody, StepBody, ValidatedAnswer
from api.v1.decision_answers import decision_answer, files_of
from api.v1.decision_rules import ACTIONS, TRIED, check_inverse, check_validate, visible_proposal
from api.v1.decisions import ask
from api.v1.trail import keep_row
from shared.connections.yarn import applier
from shared.decisions import Check, begin_applying, carry
from shared.domain.decision_requests import asked_by_hand
from shared.domain.proposals import Proposal, Step
from shared.domain.tokens import Scope
from shared.errors import CredentialsRefused, ProposalForbids, SourceNotFound
from shared.yarn.patch import as_xml

Take = Callable[[Step, Check], Proposal]
DECIDE = Policy(needs=Scope.APPROVE, is_audited=True)
UNDO = replace(DECIDE, body=StepBody)
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
    files, _ = files_of(services, proposal, datetime.now(UTC))
    return ExportAnswer(decision_id=decision_id, state=proposal.state, files=files)


@route("POST", "/v1/decisions/<decision_id>/apply", DECIDE, Answers(DecisionAnswer, 202, refuses=(409,)))
def apply_decision(services: Services, decision_id: str, json: StepBody) -> tuple[DecisionAnswer, int, dict[str, str]]:
    """Have an approved decision put into force, once; `links.self` says what became of it.

    Only over a connection that may apply; the cluster's configuration is compared before and after.
    """

    def take(step: Step, check: Check) -> Proposal:
        wake = services.enqueue_applying
        return begin_applying(services.store, services.settings, decision_id, step, wake, check=check)

    proposal = carried(services, decision_id, "apply", json.reason, take)
    answer = decision_answer(services, proposal, datetime.now(UTC))
    return answer, 202, {"Location": answer.links["self"]}


@route("POST", "/v1/decisions/<decision_id>/validate", DECIDE, Answers(ValidatedAnswer, refuses=(409,)))
def validate_decision(services: Services, decision_id: str, json: StepBody) -> ValidatedAnswer:
    """Have the cluster try a decision without taking it up. Not more often than it has to be: its queue metrics begin anew.

    Only over a connection that may apply, and of releases of YARN that can, from 3.4 on.
    """
    proposal, now = visible_proposal(services, decision_id), datetime.now(UTC)
    check_validate(services, proposal, now)
    connection = applier(services.settings.all_connections, proposal.cluster)
    keep_row(services, proposal, TRIED, now, reason=json.reason.strip())  # before: what is not answered may be done all the same
    try:
        words = connection.changes().validate(as_xml(proposal.patch).encode("ascii", "xmlcharrefreplace")) if connection else ""
    except (SourceNotFound, CredentialsRefused) as error:
        raise ProposalForbids(f"its cluster does not try it: {error.public}", decision_id=decision_id) from error
    if words:
        keep_row(services, proposal, "not accepted", datetime.now(UTC), reason=words)
    return ValidatedAnswer(decision_id=decision_id, is_accepted=not words, words=words)


@route(
    "POST", "/v1/decisions/<decision_id>/inverse", replace(DECIDE, body=StepBody), Answers(DecisionAnswer, 202, refuses=(409,))
)
def undo_decision(services: Services, decision_id: str) -> tuple[DecisionAnswer, int, dict[str, str]]:
    """Propose to undo a decision that is in force: a new one, by hand, so that somebody else approves it."""
    proposal, now, who = visible_proposal(services, decision_id), datetime.now(UTC), caller()
    check_inverse(services, proposal, now)
    asked = asked_by_hand(proposal.group, now, who.caller_id, who.name, undoes=decision_id)
    return ask(services, asked)


def carried(services: Services, decision_id: str, name: str, reason: str, take: Take | None = None) -> Proposal:
    """The proposal after an action of the caller's, done once; what is in its way is looked at in the very moment of the step.

    Args:
        take: takes the step; None = as all are.

    Raises ProposalNotFound, and what the action's check does.
    """
    action, who, now = ACTIONS[name], caller(), datetime.now(UTC)
    proposal = visible_proposal(services, decision_id)
    if action.is_done(proposal):
        return proposal
    source = request.remote_addr or ""
    step = Step(state=action.state, at=now, who=who.caller_id, name=who.name, reason=reason.strip(), source=source)
    take = take or partial(carry, services.store, decision_id)
    try:
        return take(step, lambda known: action.check(services, known, now))
    except ProposalForbids:
        if action.is_done(meanwhile := visible_proposal(services, decision_id)):  # the same, sent twice at once
            return meanwhile
        raise
