"""What comes of a decision by the one that it counts on."""

from __future__ import annotations

import pytest

from shared.domain.following import why_early, why_void
from shared.domain.proposal_states import OPEN, ProposalState
from tests.decisions import a_proposal

MADE = a_proposal(parent="root.etl", follows="above")


@pytest.mark.parametrize("state", ProposalState)
def test_it_waits_for_one_that_is_open_and_ends_with_one_that_is_not_in_force(state: ProposalState) -> None:
    above = a_proposal(state=state)
    early, void = why_early(MADE, above), why_void(MADE, above)
    assert bool(early) is (state in OPEN)
    assert bool(void) is (state not in OPEN and state is not ProposalState.SEEN)
    assert (why_early(a_proposal(), above), why_void(a_proposal(), above)) == ("", "")


def test_one_that_is_not_there_is_never_in_force() -> None:
    assert (why_early(MADE, None), why_void(MADE, None)) == ("", "above, which it counted on, is not known any more")
