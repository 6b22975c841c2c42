"""Authentication: whose token a request brings, whether one is needed, and whether its scope is enough.

A service without any token serves this machine alone: requests from elsewhere are refused, and so are those whose Host header
names another host (DNS rebinding). From the first token on, everybody needs one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from api.edge import identity
from api.edge.context import Services
from api.edge.identity import ANYBODY_HERE, Caller, is_reading, known_caller
from api.edge.login import COOKIE, asked_address, login_address, wants_page
from api.edge.policy import Policy, current_policy
from shared.config.addresses import is_loopback
from shared.domain.tokens import Scope
from shared.errors import NotAuthenticated, ProjectForbidden, ScopeMissing, StoreAway

HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:]+))(?::[0-9]+)?")  # a name or address, and perhaps a port
NEEDED = "send `Authorization: Bearer qc_…`; `queuecast token create` makes a token"
NOT_FROM_HERE = "no token exists yet, so only requests to and from this machine are answered; `queuecast token create` makes one"


def identify_callers(app: Flask, services: Services) -> None:
    """Authenticate: find out who asks, before anything that counts by it."""
    app.before_request(partial(_identify, services))


def refuse_strangers(app: Flask, services: Services) -> None:
    """Authorize: refuse whoever may not call the view, by its policy."""
    app.before_request(partial(_admit, services))


def _identify(services: Services) -> None:
    policy, now = current_policy(), datetime.now(UTC)
    if policy is not None and not policy.identifies:
        return
    try:
        if services.known_tokens.exist():
            who = _with_secret(services, policy, now) or _with_session(services, policy, now)
        else:
            who = ANYBODY_HERE if _is_from_here() else None
    except StoreAway as error:
        if policy is None:  # an unknown address: answered with 404 all the same
            return
        services.outages.met(error)
        raise StoreAway from error  # without its address, which strangers need not know
    if who is not None:
        identity.let_in(who)


def _admit(services: Services) -> Response | None:
    policy, who = current_policy(), known_caller()
    if policy is None or policy.needs is None:
        return None
    if who is None:
        return _refuse(services, policy)
    needed = Scope.READ if request.method == "OPTIONS" else policy.needs
    if not who.scope.covers(needed):
        raise ScopeMissing(f"found {who.scope.value}, needed is {needed.value}")
    if policy.needs_all_projects and who.projects is not None:
        raise ProjectForbidden("what is shown here is of all projects")
    return None


def _with_secret(services: Services, policy: Policy | None, now: datetime) -> Caller | None:
    """Who has the secret in the Authorization header, or in the login form."""
    secret = request.form.get("token", "").strip() if policy and policy.logs_in else _bearer()
    if secret is None:
        return None
    token = services.known_tokens.with_secret(secret, now)
    if token is None:
        identity.note_wrong_secret()
        return None
    with services.outages.noted(StoreAway):  # no request fails for it
        services.known_tokens.note_use(token, now)
    return Caller.of(token, is_session=False)


def _with_session(services: Services, policy: Policy | None, now: datetime) -> Caller | None:
    """Who has the session of the cookie, which counts only where no secret is given."""
    cookie = request.cookies.get(COOKIE)
    if cookie is None or "Authorization" in request.headers or (policy and policy.logs_in):
        return None
    token_id = services.known_sessions.token_of(cookie, now)
    token = services.known_tokens.with_id(token_id, now) if token_id is not None else None
    return Caller.of(token, is_session=True) if token is not None else None


def _bearer() -> str | None:
    """The bearer token of the Authorization header, "" for another scheme; None = there is no header."""
    given = request.headers.get("Authorization")
    if given is None:
        return None
    scheme, _, secret = given.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _is_from_here() -> bool:
    host = HOST.fullmatch(request.host)
    return host is not None and is_loopback(host[1] or host[2]) and is_loopback(request.remote_addr or "")


def _refuse(services: Services, policy: Policy) -> Response:
    """Redirect a browser that asks for a page to the login; raises NotAuthenticated for every other caller."""
    if policy.leads_to_login and wants_page() and is_reading() and "HX-Request" not in request.headers:
        return redirect(login_address(asked_address()), 303)
    if identity.has_tried():
        raise NotAuthenticated("the one that was sent is unknown, expired or revoked")
    raise NotAuthenticated(NEEDED if services.known_tokens.exist() else NOT_FROM_HERE)
