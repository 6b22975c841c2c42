"""What a cluster shows of decisions: by whom it was changed, which are in force, and which cannot be any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.connections.yarn import YarnConnection
from shared.decisions import carry, make_known
from shared.domain.property_change import PropertyChange
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal, Step
from shared.domain.queue_tree import QueueTree
from shared.store import Store, open_store
from shared.yarn.configuration import tree_of
from shared.yarn.effective import resolved
from shared.yarn.fingerprint import fingerprint
from tests.decisions import a_proposal
from tests.factories import MONDAY
from tests.shared.yarn.trees import CLUSTER, prefixed, properties
from worker.collect.keeping import Keeping
from worker.collect.sinks.parquet import ParquetSamples

STEP = timedelta(seconds=30)
CONNECTION = YarnConnection(cluster="prod", addresses=("http://rm:8088",))
PATCH = (
    PropertyChange(queue="root.etl", key="capacity", before="60", after="55.5"),
    PropertyChange(queue="root.bi", key="capacity", before="40", after="44.5"),
)


def tree(etl: str = "60", bi: str = "40", **more: str) -> QueueTree:
    return resolved(tree_of(properties(etl=etl, bi=bi) | prefixed(more)), {"": CLUSTER})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite://{tmp_path / 'queuecast.db'}", patience_seconds=1.0)) as opened:
        yield opened


@pytest.fixture
def keeping(tmp_path: Path, store: Store) -> Keeping:
    """A collector that has looked at the cluster once."""
    keeping = Keeping(CONNECTION, ParquetSamples(tmp_path / "samples"), store)
    keeping.keep(tree(), MONDAY)
    return keeping


@pytest.fixture
def proposal(keeping: Keeping, store: Store) -> Proposal:  # the look comes first
    made = a_proposal(patch=PATCH, tree_hash=fingerprint(tree(), "root", ""))
    make_known(store, made)
    return made


def carried(store: Store, proposal: Proposal, *states: ProposalState) -> None:
    for state in states:
        carry(store, proposal.decision_id, Step(state=state, at=MONDAY))


def test_what_a_cluster_shows_of_a_proposal_is_seen_and_its_rows_are_by_it(
    keeping: Keeping, store: Store, proposal: Proposal
) -> None:
    carried(store, proposal, ProposalState.APPROVED, ProposalState.EXPORTED)
    keeping.keep(tree(), MONDAY + STEP)
    assert store.proposals.get(proposal.decision_id).state is ProposalState.EXPORTED
    new = tree("55.5", "44.5")
    keeping.keep(new, MONDAY + 2 * STEP)
    seen = store.proposals.get(proposal.decision_id)
    assert (seen.state, seen.steps[-1].at, seen.steps[-1].tree_hash) == (
        ProposalState.SEEN,
        MONDAY + 2 * STEP,
        fingerprint(new, "root", ""),
    )
    rows = store.changes.of("prod")
    assert {(row.queue, row.by) for row in rows} == {(name, proposal.decision_id) for name in ("root.etl", "root.bi")}
    assert rows[1].words == f"capacity 40 → 44.5, by proposal {proposal.decision_id}"
    assert store.audits.of(proposal.decision_id)[-1].what == "seen"


def test_a_change_that_was_applied_a_moment_ago_is_by_its_proposal_too(
    keeping: Keeping, store: Store, proposal: Proposal
) -> None:
    carried(store, proposal, ProposalState.APPROVED, ProposalState.APPLYING, ProposalState.SEEN)
    keeping.keep(tree("55.5", "44.5"), MONDAY + STEP)
    assert {row.by for row in store.changes.of("prod")} == {proposal.decision_id}


def test_what_is_in_force_in_part_says_what_is_missing(keeping: Keeping, store: Store, proposal: Proposal) -> None:
    carried(store, proposal, ProposalState.APPROVED)
    keeping.keep(tree("55.5", "40"), MONDAY + STEP)
    now = store.proposals.get(proposal.decision_id)
    assert (now.state, now.steps[-1].reason) == (ProposalState.SEEN, "in part: root.bi has capacity 40, not 44.5")
    assert [(row.queue, row.by) for row in store.changes.of("prod")] == [("root.etl", proposal.decision_id)]


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (tree("70", "30"), "root.etl has capacity 70; root.bi has capacity 30"),
        (tree("55.5", "40"), "root.etl has capacity 55.5"),
        (tree(**{"root.etl.maximum-capacity": "90"}), "a child of it is configured otherwise"),
        (tree(**{"root.bi.state": "STOPPED"}), "a child of it is configured otherwise"),
        (replace(tree(), queues=tree().queues[:2]), "root.bi has capacity (gone)"),
    ],
)
def test_a_tree_that_was_changed_otherwise_supersedes_it(
    keeping: Keeping, store: Store, proposal: Proposal, new: QueueTree, why: str
) -> None:
    keeping.keep(new, MONDAY + STEP)
    now = store.proposals.get(proposal.decision_id)
    assert now.state is ProposalState.SUPERSEDED
    assert why in now.steps[-1].reason
    assert {row.by for row in store.changes.of("prod")} == {"seen"}


def test_a_proposal_from_an_older_tree_is_superseded_without_any_change(keeping: Keeping, store: Store) -> None:
    old = a_proposal(patch=PATCH, tree_hash="0" * 64)
    make_known(store, old)
    keeping.keep(tree(), MONDAY + STEP)
    assert store.proposals.get(old.decision_id).state is ProposalState.PROPOSED
    keeping.keep(tree(), MONDAY + 3 * STEP)
    assert store.proposals.get(old.decision_id).state is ProposalState.SUPERSEDED


def test_what_is_just_being_applied_is_left_to_who_does_it(keeping: Keeping, store: Store, proposal: Proposal) -> None:
    carried(store, proposal, ProposalState.APPROVED, ProposalState.APPLYING)
    keeping.keep(tree("70", "30"), MONDAY + STEP)
    assert store.proposals.get(proposal.decision_id).state is ProposalState.APPLYING
    keeping.keep(tree("55.5", "44.5"), MONDAY + 2 * STEP)
    assert store.proposals.get(proposal.decision_id).state is ProposalState.SEEN


def test_proposals_of_other_clusters_and_of_queues_without_a_tree_are_left_alone(keeping: Keeping, store: Store) -> None:
    others = [a_proposal(cluster="test", patch=PATCH), a_proposal(project="web", parent="", patch=(), tree_hash="")]
    for other in others:
        make_known(store, other)
    keeping.keep(tree("55.5", "44.5"), MONDAY + STEP)
    assert {store.proposals.get(other.decision_id).state for other in others} == {ProposalState.PROPOSED}


def test_a_store_that_is_away_keeps_no_sample_waiting(tmp_path: Path, keeping: Keeping, store: Store, proposal: Proposal) -> None:
    file = tmp_path / "queuecast.db"
    aside = file.rename(tmp_path / "aside.db")
    assert keeping.keep(tree("55.5", "44.5"), MONDAY + STEP) == 3
    aside.rename(file)
    keeping.keep(tree("55.5", "44.5"), MONDAY + timedelta(minutes=5))
    assert store.proposals.get(proposal.decision_id).state is ProposalState.SEEN


def counting(store: Store, state: ProposalState) -> Proposal:
    """A proposal about root.etl's children that counts on one about root's, which is in that state."""
    above = replace(
        a_proposal(patch=PATCH, state=state, tree_hash=fingerprint(tree(), "root", "")),
        steps=(Step(state=state, at=MONDAY - timedelta(hours=1)),),
    )
    make_known(store, above)
    change = PropertyChange(queue="root.etl.a", key="capacity", before="50", after="60")
    planned = fingerprint(below("55.5", "44.5"), "root.etl", "")
    made = a_proposal(parent="root.etl", patch=(change,), tree_hash=planned, follows=above.decision_id)
    make_known(store, made)
    return made


def below(etl: str = "60", bi: str = "40", a: str = "50", b: str = "50") -> QueueTree:
    return tree(etl, bi, **{"root.etl.queues": "a,b", "root.etl.a.capacity": a, "root.etl.b.capacity": b})


def test_a_proposal_stays_open_until_the_one_it_counts_on_is_in_force_and_then(keeping: Keeping, store: Store) -> None:
    made = counting(store, ProposalState.PROPOSED)
    assert made.follows is not None
    carried(store, made, ProposalState.APPROVED)
    keeping.keep(below(), MONDAY + STEP)
    keeping.keep(below(), MONDAY + 4 * STEP)
    assert store.proposals.get(made.decision_id).state is ProposalState.APPROVED
    for steps in (6, 9, 12):
        keeping.keep(below("55.5", "44.5"), MONDAY + steps * STEP)
    assert store.proposals.get(made.follows).state is ProposalState.SEEN
    assert store.proposals.get(made.decision_id).state is ProposalState.APPROVED
    keeping.keep(below("55.5", "44.5", "60", "40"), MONDAY + 15 * STEP)
    assert store.proposals.get(made.decision_id).state is ProposalState.SEEN


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (below("60", "44.5"), "root.etl, a queue above it or a child of it is configured otherwise"),  # is counted on, in part
        (below(a="70", b="30"), "root.etl.a has capacity 70"),  # whatever comes of the one that it counts on
    ],
)
def test_a_tree_other_than_the_one_counted_on_supersedes_it(keeping: Keeping, store: Store, new: QueueTree, why: str) -> None:
    made = counting(store, ProposalState.APPROVED)
    for steps in (1, 4, 8):
        keeping.keep(new, MONDAY + steps * STEP)
    now = store.proposals.get(made.decision_id)
    assert (now.state, why in now.steps[-1].reason) == (ProposalState.SUPERSEDED, True), now.steps[-1].reason


def test_with_the_one_that_it_counts_on_a_proposal_ends_too(keeping: Keeping, store: Store) -> None:
    made = counting(store, ProposalState.REJECTED)
    keeping.keep(below(), MONDAY + STEP)
    now = store.proposals.get(made.decision_id)
    assert (now.state, now.steps[-1].reason) == (ProposalState.SUPERSEDED, f"{made.follows}, which it counted on, was rejected")


def test_a_tree_that_was_read_before_the_one_counted_on_was_seen_decides_nothing(keeping: Keeping, store: Store) -> None:
    made = counting(store, ProposalState.APPLYING)
    assert made.follows is not None
    carry(store, made.follows, Step(state=ProposalState.SEEN, at=MONDAY + STEP))
    keeping.keep(below(), MONDAY + STEP)
    assert store.proposals.get(made.decision_id).state is ProposalState.PROPOSED
