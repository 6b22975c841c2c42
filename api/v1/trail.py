"""Rows of the audit trail for what a caller does that carries a decision to no other state."""

from __future__ import annotations

from datetime import datetime

from flask import request

from api.edge.context import Services
from api.edge.identity import caller
from shared.domain.audits import AuditEntry
from shared.domain.proposals import Proposal


def keep_row(services: Services, proposal: Proposal, what: str, now: datetime, *, reason: str, after: str = "") -> None:
    """Note that the caller has done this with a decision.

    Args:
        what: `validated` or `file`.
        reason: what there is to say of it.
        after: hash of what the caller was given; "" = nothing.
    """
    who = caller()
    entry = AuditEntry(
        entry_id=f"{proposal.decision_id}-{what}-{now:%Y%m%dT%H%M%S%f}",
        at=now,
        what=what,
        cluster=proposal.cluster,
        project=proposal.project,
        subject=proposal.decision_id,
        who=who.caller_id,
        name=who.name,
        source=request.remote_addr or "",
        reason=reason,
        before=proposal.tree_hash,
        after=after,
    )
    services.store.audits.add(entry)
