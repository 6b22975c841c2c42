"""How far a proposal is, who may carry it on, and from where to where that goes.

    proposed ──▶ approved ──▶ exported ──▶ seen          a person has put the files into force, and the collector has seen it
        │           └────┬───────┘
        │                └──▶ applying ──▶ seen | failed | exported | superseded     by a click, where a connection may do so
        └──▶ rejected          superseded | expired from every state that is open and not being applied

`kept` is a proposal that changes nothing: why, and when it is looked at again. It is closed from the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ProposalState(StrEnum):
    """How far it is."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    EXPORTED = "exported"  # somebody has been given its files
    APPLYING = "applying"
    SEEN = "seen"  # the cluster shows it
    REJECTED = "rejected"
    SUPERSEDED = "superseded"  # by a newer one, or by a change of the tree
    EXPIRED = "expired"  # what it was made for is over
    FAILED = "failed"  # the cluster has refused it, or shows something else
    KEPT = "kept"

    @property
    def is_open(self) -> bool:
        """Whether anything may still come of it."""
        return bool(FOLLOWS[self])


_CLOSED = frozenset({ProposalState.SUPERSEDED, ProposalState.EXPIRED})
_ANYWHERE = _CLOSED | {ProposalState.SEEN}  # a person may put anything into force that has been shown
FOLLOWS: Mapping[ProposalState, frozenset[ProposalState]] = {
    **dict.fromkeys(ProposalState, frozenset[ProposalState]()),
    ProposalState.PROPOSED: _ANYWHERE | {ProposalState.APPROVED, ProposalState.REJECTED},
    ProposalState.APPROVED: _ANYWHERE | {ProposalState.EXPORTED, ProposalState.APPLYING, ProposalState.REJECTED},
    ProposalState.EXPORTED: _ANYWHERE | {ProposalState.APPLYING, ProposalState.REJECTED},
    ProposalState.APPLYING: frozenset(  # the last two where nothing was sent
        {ProposalState.SEEN, ProposalState.FAILED, ProposalState.EXPORTED, ProposalState.SUPERSEDED}
    ),
}
OPEN = tuple(state for state in ProposalState if state.is_open)


def may_follow(before: ProposalState, after: ProposalState) -> bool:
    """Whether a proposal may go from one state to the other."""
    return after in FOLLOWS[before]


def why_not(before: ProposalState, after: ProposalState) -> str:
    """Why it may not."""
    sources = [state.value for state in ProposalState if after in FOLLOWS[state]]
    return f"it is {before}; {after} follows on {' or '.join(sources)}"
