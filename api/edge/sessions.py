"""Sessions: a person logs in with a token once; the browser keeps a cookie with the session's random id, for half a day.

Session and token are looked up for every request, so logging out ends the one, and revoking the other ends all of its sessions.
State changes are protected against CSRF by api/edge/request_checks.py.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from api.edge.context import Services
from api.edge.identity import caller, known_caller
from api.edge.login import COOKIE, PAGE, local_path
from api.edge.policy import Policy
from api.edge.routing import route
from shared.domain.tokens import SESSION_LIFE, Scope

LOG_IN = Policy(needs=None, logs_in=True, is_audited=True, max_body_bytes=16_384)
WRONG = "This token is unknown, expired or revoked."


@route("GET", PAGE, Policy(needs=None))
def show_login() -> AnyResponse:
    """Ask for a token; whoever needs none, or has a session, is led on."""
    target = local_path(request.args.get("next", "/"))
    return redirect(target, 303) if known_caller() is not None else _page(target)


@route("POST", PAGE, LOG_IN)
def log_in(services: Services) -> AnyResponse:
    """Begin a session with the token in the form; one that the browser had before ends."""
    target, who = local_path(request.form.get("next", "/")), known_caller()
    if who is None:
        return _page(target, problem=WRONG, status=401)
    answer, sessions = redirect(target, 303), services.known_sessions
    if not who.is_local:
        sessions.end(request.cookies.get(COOKIE, ""))
        answer.set_cookie(
            COOKIE,
            sessions.begin(who.caller_id, datetime.now(UTC)),
            max_age=SESSION_LIFE,
            secure=request.is_secure,
            httponly=True,
            samesite="Strict",
        )
    return answer


@route("POST", "/logout", Policy(needs=Scope.READ, is_audited=True))
def log_out(services: Services) -> Response:
    """End the session, everywhere; htmx follows the header HX-Redirect."""
    caller()
    services.known_sessions.end(request.cookies.get(COOKIE, ""))
    answer = Response(status=204, headers={"HX-Redirect": PAGE})
    answer.delete_cookie(COOKIE, secure=request.is_secure, httponly=True, samesite="Strict")
    return answer


def _page(target: str, *, problem: str = "", status: int = 200) -> Response:
    answer = make_response(render_template("login.html", next=target, problem=problem), status)
    answer.headers["Referrer-Policy"] = "same-origin"  # with no-referrer browsers send the form with `Origin: null`
    return answer
