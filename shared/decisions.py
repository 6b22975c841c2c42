"""The life of a proposal, said once: what makes it known and carries it from state to state, for HTTP, worker, reaper, collector.

Every step is a compare-and-set of the proposal, a row of the audit trail and an `audit` line of the log. Whoever dies between
the first two is made good for: a row has the id of its step, and the next step and the reaper write those that are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

import structlog

from shared.config.settings import Settings
from shared.connections.yarn import applier
from shared.domain.applying import PARENT_REST, why_too_often
from shared.domain.audits import AuditEntry
from shared.domain.collected import DEFAULT
from shared.domain.following import why_early, why_void
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal, Step, check_in_time, moved, superseded
from shared.errors import BrokerAway, ProposalForbids, ProposalNotFound
from shared.store import Store
from shared.store.proposals import ProposalFile
from shared.store.trees import KeptTree
from shared.telemetry.logs import audit
from shared.yarn.standing import in_tree

SENT = (ProposalState.APPLYING, ProposalState.SEEN, ProposalState.FAILED)  # states of those that were sent to their cluster
MAX_SENT = 200  # that are looked at

log = structlog.get_logger(__name__)

Check = Callable[[Proposal], None]  # raises what forbids a step


def make_known(store: Store, proposal: Proposal, files: Sequence[ProposalFile] = ()) -> bool:
    """Keep a new proposal with its files; those of its queues that nobody has approved yet are superseded by it.

    Called again it does what is left to do. Returns whether this call has added it.
    """
    with store.together():
        is_new = store.proposals.add(proposal, files)
        keep_trail(store, proposal)
    if is_new:
        _tell(proposal, proposal.steps[-1])
    group = proposal.group._asdict()
    open_ones = store.proposals.find(**group, states=[ProposalState.PROPOSED])
    for old in superseded(open_ones, proposal):
        try:
            carry(store, old.decision_id, old.steps[-1])
        except ProposalForbids:  # somebody has approved or rejected it meanwhile
            continue
    return is_new


def carry(store: Store, decision_id: str, step: Step, check: Check | None = None) -> Proposal:
    """Carry a proposal to the state of a step, once: of two who do so at the same time one is refused.

    Args:
        check: what must hold of it as it is then; may be called again.

    Returns:
        What it is now. Raises ProposalNotFound, ProposalForbids where the state does not follow, and what `check` raises.
    """

    def changed(known: Proposal) -> Proposal:
        if check is not None:
            check(known)
        return moved(known, step)

    with store.together():
        now = store.proposals.change(decision_id, changed)
        if now is None:  # cannot be: a step always changes it
            raise ProposalForbids("it was changed by somebody else", decision_id=decision_id)
        keep_trail(store, now)
    _tell(now, step)
    return now


def begin_applying(
    store: Store, settings: Settings, decision_id: str, step: Step, wake: Callable[[str], None], *, check: Check | None = None
) -> Proposal:
    """Let a proposal be applied, and have somebody do it; that nobody could be told is no failure: the reaper does so.

    Args:
        step: to the state `applying`, and who has asked for it.
        wake: tells somebody to apply the proposal of this id; raises BrokerAway.
        check: what must hold beside what `check_applying` looks at.

    Returns:
        What it is now. Raises as `carry` does, and ProposalForbids with what stands against it now.
    """

    def may_be(known: Proposal) -> None:
        if check is not None:
            check(known)
        check_applying(store, settings, known, step.at)

    now = carry(store, decision_id, step, may_be)
    try:
        wake(decision_id)
    except BrokerAway as error:
        log.warning("nobody was told to apply the decision; the reaper will see to it", decision_id=decision_id, error=str(error))
    return now


def check_applying(store: Store, settings: Settings, proposal: Proposal, now: datetime) -> None:
    """Raises ProposalForbids: applying is off, the cluster has no connection for it, or it is the wrong time."""

    def forbid(why: str) -> None:
        raise ProposalForbids(why, decision_id=proposal.decision_id)

    check_reach(settings, proposal)
    check_in_time(proposal, now, store.policies.of(proposal.group))
    check_followed(store, proposal)
    if why := why_too_early(store, proposal, now):
        forbid(why)


def why_too_early(store: Store, proposal: Proposal, now: datetime) -> str:
    """Why its cluster is not changed again yet, by whomever it was changed; "" = it may be."""
    sent = store.proposals.find(cluster=proposal.cluster, states=SENT, limit=MAX_SENT)
    rows = store.changes.of(proposal.cluster, partition=proposal.partition or DEFAULT, since=now - PARENT_REST)
    return why_too_often(proposal, sent, rows, now)


def check_followed(store: Store, proposal: Proposal, *, may_wait: bool = False) -> bool:
    """Whether the proposal that it counts on, if there is one, is in force.

    Args:
        may_wait: whether that one may still be open.

    Raises ProposalForbids: nothing comes of that one any more, or it is not in force yet.
    """
    followed = followed_by(store, proposal)
    early = why_early(proposal, followed)
    if why := why_void(proposal, followed) or ("" if may_wait else early):
        raise ProposalForbids(why, decision_id=proposal.decision_id)
    return not early


def followed_by(store: Store, proposal: Proposal) -> Proposal | None:
    """The proposal that this one counts on, as it is now; None = it counts on none, or there is none of that id."""
    if proposal.follows is None:
        return None
    with suppress(ProposalNotFound):
        return store.proposals.get(proposal.follows)
    return None


def check_reach(settings: Settings, proposal: Proposal) -> None:
    """Raises ProposalForbids: nothing of it can be sent to its cluster."""
    why = ""
    if settings.apply == "off":
        why = "nothing is applied: QUEUECAST_APPLY is off"
    elif not proposal.patch:
        why = "it changes nothing of a cluster's configuration"
    elif applier(settings.all_connections, proposal.cluster) is None:
        why = f"no connection may apply to the cluster {proposal.cluster}; its files are applied by hand"
    if why:
        raise ProposalForbids(why, decision_id=proposal.decision_id)


def check_undoing(proposal: Proposal, kept: KeptTree | None) -> None:
    """Raises ProposalForbids: its cluster does not show it, so that there is nothing to undo."""
    why = "how its queues are configured now is not known: `queuecast collect` reads it"
    if kept is not None:
        standing = in_tree(proposal.patch, kept.tree)
        if standing.is_made:
            return
        why = why_unread(proposal, kept) or f"its cluster does not show it: {standing.missing}; there is nothing to undo"
    raise ProposalForbids(why, decision_id=proposal.decision_id)


def why_unread(proposal: Proposal, kept: KeptTree) -> str:
    """Why a tree tells nothing of a proposal yet, as it was read before that came into force; "" = it may tell."""
    seen = proposal.reached(ProposalState.SEEN)
    since = proposal.put_at if seen is None else seen.at
    if since is None or kept.at >= since:
        return ""
    read = f"its queues were read at {kept.at:%H:%M:%S} UTC"
    return f"{read}, and {proposal.decision_id} is in force since {since:%H:%M:%S} UTC: ask again in a moment"


def keep_trail(store: Store, proposal: Proposal) -> None:
    """Write the rows of its steps into the audit trail, as far as they are not there yet."""
    for entry in entries_of(proposal):
        store.audits.add(entry)


def entries_of(proposal: Proposal) -> list[AuditEntry]:
    """What the audit trail says of a proposal: a row for each step; nothing where nobody asked, and nothing is to be changed."""
    if proposal.state is ProposalState.KEPT and not proposal.is_by_hand:
        return []
    return [
        AuditEntry(
            entry_id=f"{proposal.decision_id}-{place}-{step.state}",
            at=step.at,
            what=step.state.value,
            cluster=proposal.cluster,
            project=proposal.project,
            subject=proposal.decision_id,
            who=step.who,
            name=step.name,
            source=step.source,
            reason=step.reason,
            before=proposal.tree_hash,
            after=step.tree_hash,
        )
        for place, step in enumerate(proposal.steps)
    ]


def _tell(proposal: Proposal, step: Step) -> None:
    about = {"decision_id": proposal.decision_id, "cluster": proposal.cluster, "parent": proposal.parent}
    why = {"reason": step.reason} if step.reason else {}
    audit(f"decision_{step.state}", who=step.who, name=step.name, source=step.source, outcome="done", **about, **why)
