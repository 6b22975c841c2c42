"""The audit log: one line for every request to change something, refused or not, where the policy of the route says so."""

from __future__ import annotations

from flask import Flask, Response, g, request

from api.edge.identity import is_reading, known_caller
from api.edge.policy import current_policy
from shared.telemetry.logs import audit

NOBODY = "nobody"


def note(**about: object) -> None:
    """Add to the audit line of this request, which has the ids in the address already."""
    g.audited = {**g.get("audited", {}), **about}


def register(app: Flask) -> None:
    """Write the audit log of this application."""
    app.after_request(_record)


def _record(answer: Response) -> Response:
    policy = current_policy()
    if policy is None or not policy.is_audited or is_reading():  # OPTIONS, for one
        return answer
    record(
        (request.endpoint or "").rpartition(".")[2], answer.status_code, **{**(request.view_args or {}), **g.get("audited", {})}
    )
    return answer


def record(what: str, outcome: int, **about: object) -> None:
    """Write a line of its own for one of several things that a request asks for."""
    who = known_caller()
    audit(
        what,
        who=who.caller_id if who else NOBODY,
        name=who.name if who else NOBODY,
        source=request.remote_addr or "",
        outcome=outcome,
        **about,
    )
