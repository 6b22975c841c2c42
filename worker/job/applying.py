"""A decision is put into force, once: what was sent is never sent again, and what became of it is read from the cluster.

    applying ──▶ may it be, is all as it was? ──▶ put_at is noted ──▶ PUT ──▶ read back ──▶ seen | failed | exported
                   └── no: exported | superseded       └── from here on only read, whoever comes

A message may come twice, and its worker may die anywhere: who comes next goes by what is noted, and by what the cluster shows.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from shared.connections.yarn import applier
from shared.decisions import carry, check_applying, why_too_early
from shared.domain.applying import ANSWERED, LOOKED, SETTLED
from shared.domain.audits import AUTOMATIC
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal, Step
from shared.domain.timegrid import MINUTE
from shared.drivers.yarn_changes import Configured, YarnChanges
from shared.errors import ProposalForbids, ProposalNotFound, QueuecastError, ServiceError
from shared.yarn.fingerprint import fingerprint
from shared.yarn.patch import as_xml
from shared.yarn.standing import in_configuration
from worker.job.resources import Resources

UNDO = "inverse.xml among its files undoes what was changed"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Try:
    """One try to carry the applying of a proposal on."""

    resources: Resources
    proposal: Proposal
    now: datetime

    def end(self, state: ProposalState, why: str, tree_hash: str = "") -> None:
        """Carry it to a state; whoever has asked for it has done it, but what the cluster shows is found by nobody."""
        begun = self.proposal.reached(ProposalState.APPLYING)
        is_found = state in (ProposalState.SEEN, ProposalState.SUPERSEDED)
        who, name = (AUTOMATIC, AUTOMATIC) if begun is None or is_found else (begun.who, begun.name)
        step = Step(state=state, at=self.now, who=who, name=name, reason=why, tree_hash=tree_hash)
        carry(self.resources.store, self.proposal.decision_id, step)

    def changes(self) -> YarnChanges:
        """What changes its cluster; raises ProposalForbids where nothing does any more."""
        connection = applier(self.resources.settings.all_connections, self.proposal.cluster)
        if connection is None:
            raise ProposalForbids(f"no connection may apply to the cluster {self.proposal.cluster}")
        return connection.changes()

    def tree_hash(self, found: Configured) -> str:
        """How what it is about is configured."""
        return fingerprint(found.tree, self.proposal.parent, self.proposal.partition)


def apply(resources: Resources, decision_id: str, now: datetime) -> None:
    """Carry the applying of a proposal on by one try. Raises ServiceError where a later one may do better."""
    with suppress(ProposalNotFound):
        proposal = resources.store.proposals.get(decision_id)
        if proposal.state is ProposalState.APPLYING:
            with suppress(ProposalForbids):  # somebody else has carried it on meanwhile
                (_begin if proposal.put_at is None else _look)(Try(resources, proposal, now))


def _begin(this: Try) -> None:
    """Send it, if all is as it was when it was made."""
    try:
        check_applying(this.resources.store, this.resources.settings, this.proposal, this.now)
        changes = this.changes()
        before = changes.configured()
    except ServiceError as error:
        begun = this.proposal.reached(ProposalState.APPLYING)
        if begun is not None and this.now - begun.at < ANSWERED:
            raise
        this.end(ProposalState.EXPORTED, f"nothing was sent: {error.public}")
        return
    except QueuecastError as error:
        log.info("a decision is not applied", decision_id=this.proposal.decision_id, reason=str(error))
        this.end(ProposalState.EXPORTED, f"nothing was sent: {_words(error)}")
        return
    if not _ends(this, before) and (claimed := _claimed(this)):
        _send(replace(this, proposal=claimed), changes, before)


def _ends(this: Try, before: Configured) -> bool:
    """Whether there is nothing to send: it is in force already, or somebody has changed something else."""
    proposal = this.proposal
    standing, found = in_configuration(proposal.patch, before.properties), this.tree_hash(before)
    if standing.is_made:
        this.end(ProposalState.SEEN, "it was in force already, and nothing was sent", found)
    elif not standing.is_unmade:
        this.end(ProposalState.SUPERSEDED, f"nothing was sent: it was changed meanwhile: {standing.strange}", found)
    elif found != proposal.tree_hash:
        why = f"{proposal.parent}, a queue above it or a child of it is configured otherwise than when this was made"
        this.end(ProposalState.SUPERSEDED, f"nothing was sent: {why}", found)
    else:
        return False
    return True


def _claimed(this: Try) -> Proposal | None:
    """The proposal with the note that it is sent now; None = another one has noted it, or it may not be sent after all."""
    store = this.resources.store

    def claim(known: Proposal) -> Proposal | None:
        is_free = known.state is ProposalState.APPLYING and known.put_at is None
        return replace(known, put_at=this.now) if is_free else None

    claimed = store.proposals.change(this.proposal.decision_id, claim)
    if claimed is None:
        return None
    this.resources.follow_file()
    why = "QUEUECAST_APPLY is off" if this.resources.settings.apply == "off" else ""
    why = why or why_too_early(store, claimed, this.now)  # another one may just have been noted, too
    if why:
        this.end(ProposalState.EXPORTED, f"nothing was sent: {why}")
    return None if why else claimed


def _send(this: Try, changes: YarnChanges, before: Configured) -> None:
    about = {"decision_id": this.proposal.decision_id, "cluster": this.proposal.cluster}
    log.info("a decision is sent to its cluster", **about)
    refusal = ""
    try:
        changes.change(before, as_xml(this.proposal.patch).encode("ascii", "xmlcharrefreplace"))
    except ServiceError as error:
        log.warning("no answer tells what became of a decision", error=str(error), **about)
    except QueuecastError as error:
        log.warning("the cluster refuses a decision", error=str(error), **about)
        refusal = _words(error)
    _look(this, refusal)


def _look(this: Try, refusal: str = "") -> None:
    """What the cluster shows of a proposal that was sent."""
    sent_at = this.proposal.put_at or this.now
    try:
        found = this.changes().configured()
    except QueuecastError as error:
        if this.now - sent_at >= LOOKED:
            why = f"sent at {sent_at:{MINUTE}}, and nobody knows what became of it: {error.public}; look at the cluster; {UNDO}"
            this.end(ProposalState.FAILED, why)
        elif isinstance(error, ServiceError):
            raise
        return
    standing, tree_hash = in_configuration(this.proposal.patch, found.properties), this.tree_hash(found)
    if standing.is_made:
        this.end(ProposalState.SEEN, "", tree_hash)
    elif not standing.is_unmade:
        this.end(ProposalState.FAILED, "; ".join(filter(None, [refusal, standing.missing, UNDO])), tree_hash)
    elif refusal:
        this.end(ProposalState.FAILED, f"{refusal}; nothing was changed", tree_hash)
    elif this.now - sent_at >= SETTLED:
        why = f"sent at {sent_at:{MINUTE}}, and the cluster shows nothing of it; it may be applied again"
        this.end(ProposalState.EXPORTED, why, tree_hash)


def _words(error: QueuecastError) -> str:
    return error.detail if isinstance(error, ProposalForbids) else error.public
