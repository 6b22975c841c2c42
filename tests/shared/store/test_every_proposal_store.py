"""Proposals and their files, held with every database."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from shared.domain.policies import Sight
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Effect, Step, moved
from shared.errors import ProposalForbids, ProposalNotFound
from shared.store import Store
from shared.store.proposals import ProposalFile
from tests.decisions import DAY, a_proposal
from tests.factories import MONDAY

FIRST, SECOND = a_proposal(), a_proposal(at=MONDAY + DAY)
APPROVED = Step(state=ProposalState.APPROVED, at=MONDAY, who="t1", name="ops")
FILE = ProposalFile.of(FIRST, "sched-conf.xml", b"<x/>")


def test_a_proposal_is_kept_once_with_its_files(store: Store) -> None:
    assert store.proposals.add(FIRST, [FILE])
    assert not store.proposals.add(replace(FIRST, sentence="another"), [FILE])
    assert store.proposals.get(FIRST.decision_id) == FIRST
    assert store.proposals.files(FIRST.decision_id) == [FILE]
    assert store.proposals.file(FIRST.decision_id, FILE.name) == FILE
    assert (FILE.content, FILE.sha256[:8]) == (b"<x/>", "2a31f44d")
    for look in (partial(store.proposals.get, "x"), partial(store.proposals.file, FIRST.decision_id, "x")):
        with pytest.raises(ProposalNotFound):
            look()


def test_proposals_are_found_by_where_and_how_far_they_are_the_newest_first(store: Store) -> None:
    other = a_proposal(cluster="test", state=ProposalState.KEPT)
    for proposal in (FIRST, other, SECOND):
        assert store.proposals.add(proposal)
    assert store.proposals.find(cluster="prod") == [SECOND, FIRST]
    assert store.proposals.find(states=[ProposalState.KEPT]) == [other]
    assert store.proposals.find(parent="root.etl") == store.proposals.find(project="web") == []
    assert store.proposals.find(cluster="prod", limit=1) == [SECOND]
    assert store.proposals.find(cluster="prod", before=(SECOND.created_at, SECOND.decision_id)) == [FIRST]
    assert store.proposals.open() == [SECOND, FIRST]


def test_whoever_may_see_a_part_is_shown_that_part_alone_and_in_order(store: Store) -> None:
    test, web, shop = a_proposal(cluster="test"), a_proposal(parent="", project="web", at=MONDAY + 2 * DAY), a_proposal(parent="")
    for proposal in (test, web, FIRST, SECOND, shop):
        assert store.proposals.add(proposal)
    sight = Sight(clusters=("prod",), projects=("web",))
    assert store.proposals.find(sight=sight) == [web, SECOND, FIRST]
    assert store.proposals.find(sight=sight, limit=2) == [web, SECOND]
    assert store.proposals.find(sight=sight, before=(SECOND.created_at, SECOND.decision_id)) == [FIRST]
    assert store.proposals.find(sight=sight, cluster="test") == []
    assert store.proposals.find(sight=Sight(clusters=(), projects=())) == []


def test_of_two_who_approve_at_once_one_does(store: Store) -> None:
    store.proposals.add(FIRST)
    approve = partial(moved, step=APPROVED)
    after = store.proposals.change(FIRST.decision_id, approve)
    assert after is not None
    assert after.state is ProposalState.APPROVED
    with pytest.raises(ProposalForbids):
        store.proposals.change(FIRST.decision_id, approve)
    assert store.proposals.get(FIRST.decision_id) == after
    assert store.proposals.change(FIRST.decision_id, lambda _: None) is None


def test_what_came_of_it_is_kept_with_it(store: Store) -> None:
    effect = Effect(days=1, made_at=MONDAY + DAY, expected=10.0, real=9.0, without=20.0, wrong_cuts=("root.adhoc",))
    store.proposals.add(FIRST)
    store.proposals.change(FIRST.decision_id, lambda proposal: replace(proposal, effects=(effect,)))
    assert store.proposals.get(FIRST.decision_id).effects == (effect,)
