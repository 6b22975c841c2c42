"""A decision that counts on another one: about a parent above, whose change has to be in force first."""

from __future__ import annotations

from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal

UNKNOWN = "is not known any more"
_ENDS = {
    ProposalState.REJECTED: "was rejected",
    ProposalState.SUPERSEDED: "was superseded",
    ProposalState.EXPIRED: "has expired",
    ProposalState.FAILED: "has failed",
    ProposalState.KEPT: "changes nothing",
}


def why_void(proposal: Proposal, followed: Proposal | None) -> str:
    """Why nothing can come of a proposal any more, by the one that it counts on; "" = something can, or it counts on none.

    Args:
        followed: that one as it is now; None = there is none of that id.
    """
    if proposal.follows is None:
        return ""
    end = UNKNOWN if followed is None else _ENDS.get(followed.state, "")
    return f"{proposal.follows}, which it counted on, {end}" if end else ""


def why_early(proposal: Proposal, followed: Proposal | None) -> str:
    """Why it is too early to put a proposal into force, by the one that it counts on; "" = it is not."""
    if proposal.follows is None or followed is None or not followed.state.is_open:
        return ""
    return f"{proposal.follows}, which it counts on, has to be in force first"
