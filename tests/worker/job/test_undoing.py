"""What is in force is undone by a proposal of its own: the inverse, from the tree as it is, for a second person to approve."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decisions import make_known
from shared.domain.decision_requests import DecisionRequest, Outcome, asked_by_hand
from shared.domain.property_change import PropertyChange
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal, Step, check_approval
from shared.errors import SecondPersonNeeded
from shared.yarn.fingerprint import fingerprint
from tests.api.a_cluster import NOW, a_tree
from tests.decisions import a_proposal
from worker.job.deciding import decide
from worker.job.resources import Resources

PATCH = (PropertyChange(queue="root.etl", key="capacity", before="40", after="60"),)


def in_force(here: Resources, **changes: object) -> Proposal:
    made = a_proposal(**{"at": NOW, "patch": PATCH, "state": ProposalState.SEEN, **changes})  # type: ignore[arg-type] # a test's
    make_known(here.store, made)
    here.store.trees.put("prod", a_tree(), NOW)
    return made


def asked(here: Resources, original: Proposal) -> DecisionRequest:
    request = asked_by_hand(original.group, NOW, "t1", "ops", undoes=original.decision_id)
    assert here.store.decision_requests.add(request)
    return request


def test_the_inverse_is_proposed_with_its_files_for_somebody_else_to_approve(here: Resources) -> None:
    original = in_force(here)
    request = asked(here, original)
    for _ in range(2):
        decide(here, request.decision_id, NOW + timedelta(minutes=1))
    made = here.store.proposals.get(request.decision_id)
    assert made.patch == (PropertyChange(queue="root.etl", key="capacity", before="60", after="40"),)
    assert [(each.queue, each.present, each.proposed) for each in made.changes] == [
        ("root.etl", 46.0, 40.0),
        ("root.adhoc", 54.0, 60.0),
    ]
    assert (made.state, made.proposed_by, made.tree_hash) == (ProposalState.PROPOSED, "t1", fingerprint(a_tree(), "root", ""))
    assert made.sentence == f"Undo {original.decision_id}: root.etl back to 40 %, root.adhoc back to 60 %."
    assert (made.cost.keep, made.cost.plan) == (original.cost.plan, original.cost.keep)
    assert (made.put_at, made.effects, len(made.steps), made.undoes) == (None, (), 1, original.decision_id)
    names = {file.name for file in here.store.proposals.files(made.decision_id)}
    assert {"sched-conf.xml", "inverse.xml", "README.txt"} <= names
    assert here.store.decision_requests.get(request.decision_id).outcome is Outcome.DECIDED
    with pytest.raises(SecondPersonNeeded):
        check_approval(made, "t1", NOW + timedelta(minutes=2), [made.policy])
    check_approval(made, "t2", NOW + timedelta(minutes=2), [made.policy])
    assert here.store.proposals.get(original.decision_id) == original


@pytest.mark.parametrize("after", ["50", "61"])
def test_what_the_cluster_does_not_show_is_not_undone(here: Resources, after: str) -> None:
    original = in_force(here, patch=(replace(PATCH[0], after=after),))
    request = asked(here, original)
    decide(here, request.decision_id, NOW + timedelta(minutes=1))
    ended = here.store.decision_requests.get(request.decision_id)
    assert ended.outcome is Outcome.FAILED
    assert "its cluster does not show it" in ended.error
    assert here.store.proposals.find(states=[ProposalState.PROPOSED]) == []


def test_a_tree_that_was_read_before_it_was_in_force_is_told_as_such(here: Resources) -> None:
    later = NOW + timedelta(seconds=5)
    seen = Step(state=ProposalState.SEEN, at=later)
    original = in_force(here, patch=(replace(PATCH[0], before="60", after="80"),), steps=(seen,))
    request = asked(here, original)
    decide(here, request.decision_id, NOW + timedelta(minutes=1))
    error = here.store.decision_requests.get(request.decision_id).error
    in_force_since = f"{original.decision_id} is in force since {later:%H:%M:%S} UTC: ask again"
    assert f"its queues were read at {NOW:%H:%M:%S} UTC, and {in_force_since}" in error
