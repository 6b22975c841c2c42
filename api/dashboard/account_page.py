"""Who is logged in, what they may do, and until when."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import render_template, request

from api.edge.context import Services
from api.edge.identity import caller
from api.edge.login import COOKIE
from api.edge.policy import PAGE
from api.edge.routing import route
from shared.domain.tokens import Scope

MAY = {
    Scope.READ: "sees everything of these projects, and changes nothing",
    Scope.WRITE: "also submits jobs, and makes schedules",
    Scope.APPROVE: "also approves and rejects decisions, and exports them",
    Scope.ADMIN: "also sees the audit trail, tokens and connections, and may do all the rest",
}


@route("GET", "/account", PAGE, endpoint="account")
def show(services: Services) -> str:
    """The page."""
    who, now = caller(), datetime.now(UTC)
    token = None if who.is_local else services.known_tokens.with_id(who.caller_id, now)
    until = services.known_sessions.ends_at(request.cookies.get(COOKIE, "")) if who.is_session else None
    return render_template("account.html", person=who, token=token, until=until, may=MAY[who.scope])
