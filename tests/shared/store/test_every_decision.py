"""The life of a proposal, with every database: each step once, and each with its trace."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from shared.decisions import carry, entries_of, keep_trail, make_known
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal, Step
from shared.errors import ProposalForbids, ProposalNotFound
from shared.store import Store
from tests.decisions import DAY, a_proposal
from tests.factories import MONDAY

FIRST = a_proposal()
APPROVED = Step(state=ProposalState.APPROVED, at=MONDAY, who="t1", name="ops", source="10.0.0.1", reason="as agreed")


def test_a_new_proposal_supersedes_those_that_nobody_has_approved(store: Store) -> None:
    elsewhere, approved = a_proposal(cluster="test"), a_proposal(proposed_by="t2")
    assert make_known(store, approved)
    carry(store, approved.decision_id, APPROVED)
    for proposal in (FIRST, elsewhere):
        assert make_known(store, proposal)
    newer = a_proposal(at=MONDAY + DAY)
    assert make_known(store, newer)
    assert not make_known(store, newer)
    after = store.proposals.get(FIRST.decision_id)
    assert (after.state, after.steps[-1].reason) == (ProposalState.SUPERSEDED, f"by {newer.decision_id}")
    assert store.proposals.get(elsewhere.decision_id).state is ProposalState.PROPOSED
    assert store.proposals.get(approved.decision_id).state is ProposalState.APPROVED
    assert [entry.what for entry in store.audits.of(FIRST.decision_id)] == ["proposed", "superseded"]


def test_a_step_leaves_a_row_and_a_line(store: Store) -> None:
    make_known(store, FIRST)
    with capture_logs() as lines:
        now = carry(store, FIRST.decision_id, replace(APPROVED, tree_hash="1" * 64))
    assert now == store.proposals.get(FIRST.decision_id)
    [_, entry] = store.audits.of(FIRST.decision_id)
    assert (entry.what, entry.who, entry.name, entry.source) == ("approved", "t1", "ops", "10.0.0.1")
    assert (entry.reason, entry.before, entry.after) == ("as agreed", "0" * 64, "1" * 64)
    [line] = lines
    assert (line["event"], line["what"], line["decision_id"]) == ("audit", "decision_approved", FIRST.decision_id)


def test_of_two_at_once_one_takes_the_step(store: Store) -> None:
    make_known(store, FIRST)

    def approve(who: str) -> bool:
        try:
            carry(store, FIRST.decision_id, replace(APPROVED, who=who))
        except ProposalForbids:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(approve, ("t1", "t2"))) == [False, True]
    assert [entry.what for entry in store.audits.of(FIRST.decision_id)] == ["proposed", "approved"]


def test_what_a_check_forbids_leaves_no_trace(store: Store) -> None:
    make_known(store, FIRST)

    def check(_: Proposal) -> None:
        raise ProposalForbids("not now")

    with pytest.raises(ProposalForbids, match="not now"):
        carry(store, FIRST.decision_id, APPROVED, check)
    with pytest.raises(ProposalNotFound):
        carry(store, "x", APPROVED)
    assert store.proposals.get(FIRST.decision_id) == FIRST
    assert [entry.what for entry in store.audits.of(FIRST.decision_id)] == ["proposed"]


def test_a_trace_that_somebody_did_not_live_to_leave_is_left_later(store: Store) -> None:
    make_known(store, FIRST)
    now = carry(store, FIRST.decision_id, APPROVED)
    died = replace(now, steps=(*now.steps, Step(state=ProposalState.EXPORTED, at=MONDAY)), state=ProposalState.EXPORTED)
    store.proposals.change(FIRST.decision_id, lambda _: died)
    for _ in range(2):
        keep_trail(store, died)
    assert store.audits.of(FIRST.decision_id) == entries_of(died)
