"""Authentication: whose token a request brings, whether one is needed, and whether its scope is enough.

A service without any token serves this machine alone: requests that come from elsewhere, or that name another host (a page whose
name somebody has led to this machine), are refused. From the first token on, everybody needs one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import structlog
from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from api import callers
from api.callers import ANYBODY_HERE, Caller, is_reading, known_caller
from api.context import Services, services
from api.login import COOKIE, login_address
from shared.addresses import is_loopback
from shared.errors import NotAuthenticated, ScopeMissing, StoreAway
from shared.tokens import Scope

LOG_IN, LOG_OUT = "sessions.log_in", "sessions.log_out"
ASKS_NOBODY = frozenset(
    {"health.show_health", "health.show_readiness", "dashboard.static"}
)  # the same for all, and no look at the store
OPEN = ASKS_NOBODY | {"sessions.show_login", LOG_IN}  # all others need a token
HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:]+))(?::[0-9]+)?")  # a name or address, and perhaps a port
NEEDED = "send `Authorization: Bearer qc_…`; `queuecast token create` makes a token"
NOT_FROM_HERE = "no token exists yet, so only requests to and from this machine are answered; `queuecast token create` makes one"

log = structlog.get_logger(__name__)


def identify_callers(app: Flask) -> None:
    """Find out who asks, before anything that counts by it."""
    app.before_request(_identify)


def refuse_strangers(app: Flask) -> None:
    """Let nobody further without a token whose scope is enough."""
    app.before_request(_admit)


def _identify() -> None:
    if request.routing_exception is not None or request.endpoint in ASKS_NOBODY:
        return
    here, now = services(), datetime.now(UTC)
    try:
        if here.known_tokens.exist():
            found = _with_secret(here, now) or _with_session(here, now)
        else:
            found = ANYBODY_HERE if _is_from_here() else None
    except StoreAway as error:
        log.warning("nobody can be let in", error=str(error))
        raise StoreAway from error  # a stranger need not know where it lies
    if found is not None:
        callers.let_in(found)


def _admit() -> Response | None:
    if request.routing_exception is not None or request.endpoint in OPEN:
        return None
    found, needed = known_caller(), Scope.READ if is_reading() else Scope.WRITE
    if found is None:
        return _lead_to_login()
    if not found.scope.covers(needed) and request.endpoint != LOG_OUT:
        raise ScopeMissing(f"found {found.scope.value}, needed is {needed.value}")
    return None


def _with_secret(here: Services, now: datetime) -> Caller | None:
    """Whoever has the secret that is given, as a bearer or to log in."""
    secret = request.form.get("token", "").strip() if request.endpoint == LOG_IN else _bearer()
    if secret is None:
        return None
    token = here.known_tokens.with_secret(secret, now)
    if token is None:
        callers.note_wrong_secret()
        return None
    here.known_tokens.note_use(token, now)
    return Caller.of(token, is_session=False)


def _with_session(here: Services, now: datetime) -> Caller | None:
    """Whoever has logged in; a secret that is given counts alone."""
    cookie = request.cookies.get(COOKIE)
    if cookie is None or "Authorization" in request.headers or request.endpoint == LOG_IN:
        return None
    token_id = here.known_sessions.token_of(cookie, now)
    token = here.known_tokens.with_id(token_id, now) if token_id is not None else None
    return Caller.of(token, is_session=True) if token is not None else None


def _bearer() -> str | None:
    """The secret in the header, "" for one of another kind; None = there is no header."""
    given = request.headers.get("Authorization")
    if given is None:
        return None
    scheme, _, secret = given.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _is_from_here() -> bool:
    host = HOST.fullmatch(request.host)
    return host is not None and is_loopback(host[1] or host[2]) and is_loopback(request.remote_addr or "")


def _lead_to_login() -> Response:
    """A page that a person has asked for leads to the login; every other caller is told."""
    is_page = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    if is_page and is_reading() and not request.path.startswith("/v1/") and "HX-Request" not in request.headers:
        return redirect(login_address(request.full_path.rstrip("?")), 303)
    if callers.has_tried():
        raise NotAuthenticated("the one that was sent is unknown, expired or revoked")
    raise NotAuthenticated(NEEDED if services().known_tokens.exist() else NOT_FROM_HERE)
