"""What a caller may do with a decision now, said once: for the calls that do it, and for whoever shows what can be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.edge.context import Services
from api.edge.identity import caller
from api.v1.groups import sight
from api.v1.second_person import NEW_ONE, check_job, check_policies
from shared.decisions import check_applying, check_followed, check_reach, check_undoing, followed_by, why_unread
from shared.domain.decision_requests import DecisionRequest, Outcome
from shared.domain.owners import owned_by_others, with_owners
from shared.domain.proposal_states import ProposalState, may_follow, why_not
from shared.domain.proposals import Proposal, check_approval, check_in_time
from shared.domain.timegrid import MINUTE
from shared.domain.tokens import Scope
from shared.errors import (
    OwnersOnly,
    ProposalForbids,
    ProposalNotFound,
    QueuecastError,
    ScopeMissing,
    SecondPersonNeeded,
)
from shared.yarn.fingerprint import fingerprint

HANDED_OVER = frozenset({ProposalState.APPROVED, ProposalState.EXPORTED, ProposalState.APPLYING, ProposalState.SEEN})
WITH_FILES = HANDED_OVER - {ProposalState.APPROVED} | {ProposalState.FAILED}  # also to undo what has gone wrong
BEFORE_FORCE = frozenset({ProposalState.PROPOSED, ProposalState.APPROVED, ProposalState.EXPORTED})
IN_FORCE = frozenset({ProposalState.EXPORTED, ProposalState.SEEN, ProposalState.FAILED})  # as far as anybody knows
TRIED, TRIED_EVERY = "validated", timedelta(minutes=5)  # in the audit trail; of one cluster
NO_TOKENS = (
    "while there is no token everybody here is the same person; `queuecast token create --scope approve` makes one for each"
)
Check = Callable[[Services, Proposal, datetime], None]


def visible_proposal(services: Services, decision_id: str) -> Proposal:
    """The proposal; raises ProposalNotFound also for one that the caller may not see, ProposalForbids for one that is to come."""
    if (asked := waited_for(services, decision_id)) is not None:
        told = f"nothing came of it: {asked.error}" if asked.outcome else "it is being made: look again in a moment"
        raise ProposalForbids(told, decision_id=decision_id)
    proposal, seen = services.store.proposals.get(decision_id), sight(services)
    if seen is not None and not seen.shows(proposal.group):
        raise ProposalNotFound(decision_id=decision_id)
    return proposal


def waited_for(services: Services, decision_id: str) -> DecisionRequest | None:
    """What a person has asked for under this id, as long as there is no proposal; None = the caller may not see any such."""
    asked, seen = services.store.decision_requests.find(decision_id), sight(services)
    if asked is None or not asked.is_by_hand or asked.outcome is Outcome.DECIDED or (seen and not seen.shows(asked.group)):
        return None
    try:
        services.store.proposals.get(decision_id)  # its maker has not noted yet that it is made
    except ProposalNotFound:
        return asked
    return None


def check_approve(services: Services, proposal: Proposal, now: datetime) -> None:
    """Raises what is in the way: the state, the person, the time, a changed tree."""
    _check_state(proposal, ProposalState.APPROVED)
    if caller().is_local and proposal.is_by_hand:
        raise SecondPersonNeeded(NO_TOKENS, decision_id=proposal.decision_id)
    check_approval(proposal, caller().caller_id, now, services.store.policies.above(proposal.group), names_of(services))
    check_job(services, proposal)
    check_policies(services, proposal)
    check_tree(services, proposal, may_wait=True)


def check_reject(services: Services, proposal: Proposal, now: datetime) -> None:  # noqa: ARG001 - as all of them
    """Raises what is in the way: the state, the person. Who has asked for it may take it back."""
    _check_state(proposal, ProposalState.REJECTED)
    if proposal.proposed_by != caller().caller_id:
        check_owner(services, proposal)


def check_export(services: Services, proposal: Proposal, now: datetime) -> None:
    """Raises what is in the way of handing it over for the first time."""
    _check_state(proposal, ProposalState.EXPORTED)
    check_owner(services, proposal)
    check_policies(services, proposal)
    check_in_time(proposal, now, services.store.policies.of(proposal.group))
    check_tree(services, proposal)


def check_apply(services: Services, proposal: Proposal, now: datetime) -> None:
    """Raises what is in the way of having it put into force: state, person, time, the cluster's connection, a rate, the tree."""
    _check_state(proposal, ProposalState.APPLYING)
    check_owner(services, proposal)
    check_policies(services, proposal)
    check_applying(services.store, services.settings, proposal, now)
    check_tree(services, proposal)


def check_validate(services: Services, proposal: Proposal, now: datetime) -> None:
    """Raises what is in the way of having its cluster try it, which nobody does without need: queue metrics begin anew."""
    if proposal.state not in BEFORE_FORCE:
        raise ProposalForbids(f"it is {proposal.state}: there is nothing to try; {NEW_ONE}", decision_id=proposal.decision_id)
    check_owner(services, proposal)
    check_reach(services.settings, proposal)
    check_tree(services, proposal)
    _check_tried(services, proposal, now)


def _check_tried(services: Services, proposal: Proposal, now: datetime) -> None:
    """Raises ProposalForbids: something was tried on the cluster a moment ago, by whomever."""
    rows = services.store.audits.between(now - TRIED_EVERY)
    tried = [row.at for row in rows if row.what == TRIED and row.cluster == proposal.cluster]
    if tried:
        often = f"accepted is one in {TRIED_EVERY.seconds // 60} min, so from {max(tried) + TRIED_EVERY:{MINUTE}} on"
        why = f"its cluster has just tried one, whose queue metrics began anew by that; {often}"
        raise ProposalForbids(why, decision_id=proposal.decision_id)


def check_inverse(services: Services, proposal: Proposal, now: datetime) -> None:  # noqa: ARG001 - as all of them
    """Raises what is in the way of proposing to undo it: it is in force nowhere, or it changes nothing of a cluster."""
    if not proposal.patch or proposal.state not in IN_FORCE:
        what = "it changes nothing of a cluster" if not proposal.patch else f"it is {proposal.state}, and was not put into force"
        raise ProposalForbids(f"{what}: there is nothing to undo", decision_id=proposal.decision_id)
    check_owner(services, proposal)
    kept = services.store.trees.newest(proposal.cluster)
    check_undoing(proposal, kept)


def check_owner(services: Services, proposal: Proposal) -> None:
    """Raises OwnersOnly: the policy names owners, and the caller is none of them."""
    policies = services.store.policies.above(proposal.group)
    if theirs := owned_by_others(policies, caller().caller_id, proposal.queues):
        told = with_owners(policies, theirs, names_of(services))
        raise OwnersOnly(f"policies name others as owners of {told}", decision_id=proposal.decision_id)


def names_of(services: Services) -> dict[str, str]:
    """Names of tokens by their ids."""
    return {token.token_id: token.name for token in services.store.tokens.all()}


def check_tree(services: Services, proposal: Proposal, *, may_wait: bool = False) -> None:
    """Raises ProposalForbids: the queues are configured otherwise than it counts on.

    Args:
        may_wait: whether a proposal that it counts on may still be open; how they are configured then is to come.
    """
    if not check_followed(services.store, proposal, may_wait=may_wait) or not proposal.tree_hash:
        return
    kept = services.store.trees.newest(proposal.cluster)
    if kept is None:
        why = "how its queues are configured now is not known: `queuecast collect` reads it"
        raise ProposalForbids(why, decision_id=proposal.decision_id)
    if fingerprint(kept.tree, proposal.parent, proposal.partition) != proposal.tree_hash:
        followed = followed_by(services.store, proposal)
        early = why_unread(followed, kept) if followed else ""
        why = early or f"its queues are configured otherwise since it was made; {NEW_ONE}"
        raise ProposalForbids(why, decision_id=proposal.decision_id)


@dataclass(frozen=True, slots=True)
class Action:
    """What people do with a proposal.

    state: that it comes to. check: raises what is in the way. done: states in which it has been done already.
    is_personal: once done it is so for who has done it; everybody else is told that it cannot be done again.
    """

    state: ProposalState
    check: Check
    done: frozenset[ProposalState]
    is_personal: bool = True

    def is_done(self, proposal: Proposal) -> bool:
        """Whether nothing is left to do."""
        step = proposal.reached(self.state)
        return proposal.state in self.done and (not self.is_personal or (step is not None and step.who == caller().caller_id))


ACTIONS = {
    "approve": Action(ProposalState.APPROVED, check_approve, HANDED_OVER),
    "reject": Action(ProposalState.REJECTED, check_reject, frozenset({ProposalState.REJECTED})),
    "export": Action(ProposalState.EXPORTED, check_export, WITH_FILES, is_personal=False),
    "apply": Action(ProposalState.APPLYING, check_apply, frozenset({ProposalState.APPLYING, ProposalState.SEEN})),
}
CHECKS = {**{name: action.check for name, action in ACTIONS.items()}, "validate": check_validate, "inverse": check_inverse}


def actions_of(services: Services, proposal: Proposal, now: datetime) -> dict[str, str | None]:
    """What the caller may do with it now: None = it is possible, else why not."""
    return {name: _why_not(check, services, proposal, now) for name, check in CHECKS.items()}


def _why_not(check: Check, services: Services, proposal: Proposal, now: datetime) -> str | None:
    try:
        check_scope()
        check(services, proposal, now)
    except QueuecastError as error:
        return error.public
    return None


def _check_state(proposal: Proposal, after: ProposalState) -> None:
    if not may_follow(proposal.state, after):
        more = "" if proposal.state.is_open else f"; {NEW_ONE}"
        raise ProposalForbids(why_not(proposal.state, after) + more, decision_id=proposal.decision_id)


def check_scope() -> None:
    """Raises ScopeMissing: the caller decides on nothing."""
    if not caller().scope.covers(Scope.APPROVE):
        raise ScopeMissing(f"found {caller().scope.value}, needed is {Scope.APPROVE.value}")
