"""Proposals: from which state to which, who approves, and which one stands in the place of another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.policies import Freeze, Group, QueueRule
from shared.domain.proposal_states import FOLLOWS, OPEN, ProposalState, may_follow
from shared.domain.proposals import Step, check_approval, decision_id, moved, superseded
from shared.errors import ProposalForbids, SecondPersonNeeded
from tests.decisions import DAY, a_proposal, a_proposed_change
from tests.factories import MONDAY

STATES = st.sampled_from(ProposalState)


@given(st.lists(STATES, max_size=8))
def test_whatever_is_asked_a_proposal_goes_only_where_its_state_leads(wanted: list[ProposalState]) -> None:
    proposal = a_proposal()
    for state in wanted:
        before = proposal
        try:
            proposal = moved(proposal, Step(state=state, at=MONDAY))
        except ProposalForbids:
            assert not may_follow(before.state, state)
        else:
            assert may_follow(before.state, state)
            assert proposal.steps[:-1] == before.steps
            assert proposal.state is proposal.steps[-1].state is state


def test_a_clock_that_was_read_before_the_last_step_puts_nothing_in_front_of_it() -> None:
    proposal = moved(a_proposal(), Step(state=ProposalState.APPROVED, at=MONDAY + DAY))
    assert moved(proposal, Step(state=ProposalState.EXPORTED, at=MONDAY)).steps[-1].at == MONDAY + DAY


def test_from_every_open_state_there_is_a_way_to_an_end() -> None:
    for state in OPEN:
        assert any(not after.is_open or any(not last.is_open for last in FOLLOWS[after]) for after in FOLLOWS[state])
    assert [state.value for state in OPEN] == ["proposed", "approved", "exported", "applying"]


def test_nothing_is_put_into_force_that_was_not_approved() -> None:
    assert not may_follow(ProposalState.PROPOSED, ProposalState.APPLYING)
    assert not may_follow(ProposalState.PROPOSED, ProposalState.EXPORTED)
    with pytest.raises(ProposalForbids, match="it is proposed; applying follows on approved or exported"):
        moved(a_proposal(), Step(state=ProposalState.APPLYING, at=MONDAY))


def test_who_asked_for_it_by_hand_does_not_approve_it_and_somebody_else_does() -> None:
    proposal = a_proposal(proposed_by="t1")
    with pytest.raises(SecondPersonNeeded):
        check_approval(proposal, "t1", MONDAY, [proposal.policy])
    check_approval(proposal, "t2", MONDAY, [proposal.policy])
    check_approval(a_proposal(), "t1", MONDAY, [proposal.policy])


def test_where_owners_are_named_by_the_policy_of_now_nobody_else_approves() -> None:
    proposal = a_proposal()
    policy = replace(proposal.policy, queues=(QueueRule(queue="root.etl", owners=("t1",)),))
    with pytest.raises(SecondPersonNeeded, match=r"others as owners of root\.etl"):
        check_approval(proposal, "t2", MONDAY, [policy])
    check_approval(proposal, "t9", MONDAY, [replace(policy, owners=("t9",))])


def test_what_is_over_or_frozen_is_not_approved() -> None:
    proposal = a_proposal()
    with pytest.raises(ProposalForbids, match="until"):
        check_approval(proposal, "t1", MONDAY + DAY, [proposal.policy])
    frozen = replace(proposal.policy, freezes=(Freeze(start_at=MONDAY, end_at=MONDAY + DAY, reason="month's end"),))
    with pytest.raises(ProposalForbids, match="month's end"):
        check_approval(proposal, "t1", MONDAY, [frozen])


def test_a_decision_made_twice_is_one_and_others_are_others() -> None:
    ids = {
        decision_id(Group("", "prod", "root"), MONDAY, "queuecast"),
        decision_id(Group("", "prod", "root"), MONDAY, "queuecast"),
        decision_id(Group("", "prod", "root", "gpu"), MONDAY, "queuecast"),
        decision_id(Group("", "prod", "root"), MONDAY, "t1"),
        decision_id(Group("", "prod", "root"), MONDAY + DAY, "queuecast"),
    }
    assert len(ids) == 4
    assert all(each[8] == "T" and len(each) == 26 for each in ids)


def test_a_newer_one_takes_the_place_of_those_that_nobody_has_approved() -> None:
    newer = a_proposal(at=MONDAY + DAY)
    old, other = a_proposal(), a_proposal(cluster="test")
    approved = replace(a_proposal(at=MONDAY + timedelta(hours=1)), state=ProposalState.APPROVED)
    later = a_proposal(at=MONDAY + 2 * DAY)
    (gone,) = superseded([old, other, approved, later, newer], newer)
    assert (gone.decision_id, gone.state) == (old.decision_id, ProposalState.SUPERSEDED)
    assert gone.steps[-1].reason == f"by {newer.decision_id}"


def test_of_queues_that_several_jobs_forecast_the_newer_one_stands_alone() -> None:
    where = {"parent": "", "project": "caps"}
    newer = a_proposal(at=MONDAY + DAY, job="weekly", **where)  # type: ignore[arg-type] # fields of a proposal
    same, other = (a_proposal(job=job, **where) for job in ("daily", "of others"))  # type: ignore[arg-type]
    other = replace(other, changes=(a_proposed_change("root.else", 1.0, 2.0),))
    assert [gone.job for gone in superseded([same, other], newer)] == ["daily"]


def test_what_a_person_asks_for_replaces_also_what_was_made_from_newer_forecasts() -> None:
    there = a_proposal(at=MONDAY + DAY)
    asked = replace(a_proposal(proposed_by="t1"), created_at=MONDAY + 2 * DAY)
    assert len(superseded([there], asked)) == 1
    assert superseded([there], replace(asked, created_at=MONDAY)) == ()
