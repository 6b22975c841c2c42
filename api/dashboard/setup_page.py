"""Connections, policies and tokens, for administrators to read. Nothing secret, and no address, is shown."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import render_template

from api.edge.context import Services
from api.edge.policy import Policy
from api.edge.routing import route
from shared.domain.tokens import Scope

ADMINS = Policy(needs=Scope.ADMIN, needs_all_projects=True, leads_to_login=True)


@route("GET", "/setup", ADMINS, endpoint="setup")
def show(services: Services) -> str:
    """The page."""
    tokens = sorted(services.store.tokens.all(), key=lambda token: (token.revoked_at is not None, token.name))
    connections = sorted(services.settings.all_connections.items())
    policies = services.store.policies.find(None)
    return render_template("setup.html", connections=connections, policies=policies, tokens=tokens, today=datetime.now(UTC))
