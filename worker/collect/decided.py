"""Decisions about a cluster, beside what it shows: those that are in force are seen, those that cannot be any more superseded.

rows of what has changed ── named ──▶ the same, with the proposal that wanted it
tree ── compare ──▶ all new values there, or some of them and somebody was given the files: seen
                    the queues are configured otherwise than when it was made:             superseded
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from shared.decisions import carry, followed_by
from shared.domain.configuration_change import ConfigChange
from shared.domain.following import why_early, why_void
from shared.domain.proposal_states import OPEN, ProposalState
from shared.domain.proposals import Proposal, Step
from shared.domain.queue_tree import QueueTree
from shared.errors import ProposalForbids, QueuecastError
from shared.store import Store
from shared.telemetry.said_once import Outage
from shared.yarn.configuration import CAPACITY, name_in
from shared.yarn.fingerprint import fingerprint
from shared.yarn.standing import in_tree, is_alike
from worker.collect.sampler import partition_name

EVERY = timedelta(minutes=1)  # where nothing was configured anew: a proposal may have been made from an older tree
REST = timedelta(minutes=1)  # after a store that was away
SETTLED = timedelta(minutes=1)  # since that was seen which it counts on: the tree may have been read before
REMEMBERED = timedelta(hours=1)  # since it was seen, by whoever applied it: the collector may come to it a little later
MAX_LOOKED_AT = 200  # proposals
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
HANDED_OVER = frozenset({ProposalState.APPROVED, ProposalState.EXPORTED})

log = structlog.get_logger(__name__)


class Decided:
    """Of one cluster; used by one thread. Nothing is raised: what cannot be said now is said with a later look, or left out."""

    def __init__(self, store: Store, cluster: str) -> None:
        self._store, self._cluster = store, cluster
        self._due_at = FIRST
        self._outage = Outage(
            log.bind(cluster=cluster), "decisions are not compared with their cluster", "they are compared again"
        )

    def named(self, rows: Sequence[ConfigChange], tree: QueueTree, at: datetime) -> list[ConfigChange]:
        """The changes, each with the id of the proposal that wanted it, where one did."""
        if not rows:
            return []
        try:
            found = self._store.proposals.find(cluster=self._cluster, states=(*OPEN, ProposalState.SEEN), limit=MAX_LOOKED_AT)
        except QueuecastError as error:
            self._outage.met(error)
            return list(rows)
        wanted = [each for each in found if _may_be_it(each, tree, at)]
        return [replace(row, by=next((each.decision_id for each in wanted if _wanted(each, row)), row.by)) for row in rows]

    def compare(self, tree: QueueTree, at: datetime, *, is_changed: bool) -> None:
        """Carry on what the tree decides."""
        if at < self._due_at and not (is_changed and not self._outage.is_on):
            return
        try:
            for proposal in self._store.proposals.find(cluster=self._cluster, states=OPEN, limit=MAX_LOOKED_AT):
                followed = followed_by(self._store, proposal)
                if proposal.patch and (step := step_of(proposal, tree, at, followed)) is not None:
                    with suppress(ProposalForbids):  # somebody has carried it on meanwhile
                        carry(self._store, proposal.decision_id, step)
        except QueuecastError as error:
            self._outage.met(error)
            self._due_at = at + REST
        else:
            self._outage.over()
            self._due_at = at + EVERY


def step_of(proposal: Proposal, tree: QueueTree, at: datetime, followed: Proposal | None = None) -> Step | None:
    """What a tree means for an open proposal; None = nothing.

    Args:
        followed: the one that it counts on, as it is now.
    """
    standing, now = in_tree(proposal.patch, tree), fingerprint(tree, proposal.parent, proposal.partition)
    if standing.is_made:
        return Step(state=ProposalState.SEEN, at=at, tree_hash=now)
    void = why_void(proposal, followed)
    is_as_counted_on = now == proposal.tree_hash or (standing.is_unmade and _is_to_come(proposal, followed, at))
    if proposal.state is ProposalState.APPLYING or (is_as_counted_on and not void):
        return None
    if standing.made and proposal.state in HANDED_OVER:
        return Step(state=ProposalState.SEEN, at=at, reason=f"in part: {standing.missing}", tree_hash=now)
    why = (
        void
        or standing.strange
        or f"{proposal.parent}, a queue above it or a child of it is configured otherwise than when it was made"
    )
    return Step(state=ProposalState.SUPERSEDED, at=at, reason=why, tree_hash=now)


def _is_to_come(proposal: Proposal, followed: Proposal | None, at: datetime) -> bool:
    """Whether the tree that it counts on is still to come, with the one that it follows."""
    seen = None if followed is None else followed.reached(ProposalState.SEEN)
    return bool(why_early(proposal, followed)) or (seen is not None and at - seen.at < SETTLED)


def _may_be_it(proposal: Proposal, tree: QueueTree, at: datetime) -> bool:
    """Whether it is what has just been put into force; a part of one that nobody has approved is a coincidence."""
    standing, seen = in_tree(proposal.patch, tree), proposal.reached(ProposalState.SEEN)
    is_there = standing.is_made or (bool(standing.made) and proposal.state is not ProposalState.PROPOSED)
    return is_there and (seen is None or at - seen.at < REMEMBERED)


def _wanted(proposal: Proposal, row: ConfigChange) -> bool:
    """Whether a row shows what it has wanted of that queue."""
    changes = [change for change in proposal.patch if change.queue == row.queue]
    return (
        bool(changes)
        and row.partition == partition_name(proposal.partition)
        and all(
            is_alike(change, row.capacity if change.key == name_in(proposal.partition, CAPACITY) else row.maximum, change.after)
            for change in changes
        )
    )
