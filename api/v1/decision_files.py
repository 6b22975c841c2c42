"""When the files of a decision are handed over, and to whom."""

from __future__ import annotations

from datetime import datetime

from api.edge.context import Services
from api.v1.decision_rules import BEFORE_FORCE, WITH_FILES, check_owner, check_scope
from api.v1.second_person import NEW_ONE
from shared.decisions import check_followed
from shared.domain.proposal_states import ProposalState, may_follow
from shared.domain.proposals import Proposal, check_in_time
from shared.errors import ProposalForbids


def check_files(services: Services, proposal: Proposal, now: datetime) -> None:
    """Whether its files are given out: of queues without a tree always, of a cluster to whoever may change what it has.

    Raises:
        ScopeMissing: the caller may not.
        OwnersOnly: others own queues that it changes.
        ProposalForbids: not yet, not any more, or not now, as nothing may be changed.
    """
    if not proposal.patch:
        return
    check_scope()
    check_owner(services, proposal)
    if proposal.state in BEFORE_FORCE - {ProposalState.PROPOSED}:
        check_followed(services.store, proposal)
        check_in_time(proposal, now, services.store.policies.of(proposal.group))
    if proposal.state not in WITH_FILES:
        raise ProposalForbids(f"it is {proposal.state}; {_when_files(proposal)}", decision_id=proposal.decision_id)


def _when_files(proposal: Proposal) -> str:
    if proposal.state is ProposalState.APPROVED:
        return "its files are given out once it is exported: `queuecast decisions export`"
    if may_follow(proposal.state, ProposalState.APPROVED):
        return "files are given out once it is approved and exported: approve it first"
    return f"its files are not given out; {NEW_ONE}"
