"""Request ids, security headers of answers, the check of bodies, and the protection against CSRF."""

from __future__ import annotations

import re
from secrets import token_hex
from typing import cast

import structlog
from flask import Flask, Response, g, request
from secure import (
    CacheControl,
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from werkzeug.exceptions import UnsupportedMediaType

from api.edge.bodies import StrictJson, StrictRequest
from api.edge.form_tokens import has_form_token
from api.edge.identity import is_reading, known_caller
from api.edge.policy import current_policy
from shared.errors import CrossSiteRequest

SECURITY_HEADERS = Secure(
    csp=ContentSecurityPolicy()
    .default_src("'self'")
    .img_src("'self'", "data:")
    .frame_ancestors("'none'")
    .base_uri("'none'")
    .form_action("'self'"),
    xfo=XFrameOptions().deny(),
    xcto=XContentTypeOptions().nosniff(),
    referrer=ReferrerPolicy().no_referrer(),
    permissions=PermissionsPolicy(),
    coop=CrossOriginOpenerPolicy().same_origin(),
    corp=CrossOriginResourcePolicy().same_origin(),
    cache=CacheControl().no_store(),  # answers are about now
).headers
ON_HTTPS = Secure(hsts=StrictTransportSecurity().max_age(365 * 86_400)).headers
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def name_requests(app: Flask) -> None:
    """Give every request an id, and every answer the security headers; to be called before all that may refuse a request."""
    app.json, app.request_class = StrictJson(app), StrictRequest
    app.before_request(_name_request)
    app.before_request(_limit_body)
    app.after_request(_add_headers)
    app.teardown_request(_forget_request)


def check_requests(app: Flask) -> None:
    """Refuse cross-site requests (CSRF), and bodies that are not one JSON object; to be called after authentication."""
    app.before_request(_check_site)
    app.before_request(_check_body)


def request_id() -> str:
    """The id of the request being answered: the caller's `X-Request-ID`, or ours."""
    current: str = g.request_id
    return current


def _name_request() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _ID.fullmatch(given) else token_hex(8)
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _limit_body() -> None:
    """Set the limit that the view's policy has; before anything reads the body, such as the login's form."""
    policy = current_policy()
    if policy is not None and policy.max_body_bytes is not None:
        request.max_content_length = policy.max_body_bytes


def _forget_request(_error: BaseException | None) -> None:
    """Unbind the request id: the thread answers others after this one."""
    structlog.contextvars.clear_contextvars()


def _check_body() -> None:
    """Refuse a body that is not one JSON object where the view takes one."""
    policy, given = current_policy(), cast("StrictRequest", request)
    if policy is None or policy.body is None or is_reading():
        return
    if policy.body_is_optional and (request.is_json or not request.mimetype) and not given.body():
        return
    if not request.is_json:
        raise UnsupportedMediaType(f"found {request.mimetype[:80] or 'no Content-Type'!r}, accepted is application/json")
    given.object()


def _check_site() -> None:
    """Refuse a change that a web page of another origin sends (CSRF): browsers name it in a POST, other callers never do.

    With a session, Origin or Sec-Fetch-Site must be there, and the custom header HX-Request, which no form of another page can
    add, or where a form is taken its token, which no other page can know. With an Authorization header neither is needed: a page
    of another origin can add it only after a CORS preflight, which we never allow.
    """
    who, policy = known_caller(), current_policy()
    if policy is None or is_reading() or "Authorization" in request.headers:
        return
    origin, fetch_site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None and not _is_our_origin(origin):
        raise CrossSiteRequest(f"found the origin {origin[:80]!r}, accepted are pages of {request.host}")
    if fetch_site not in {None, "same-origin", "none"}:  # none: the person, no page
        raise CrossSiteRequest("found a page of another origin (Sec-Fetch-Site), accepted are our own")
    if who and who.is_session and origin is None and fetch_site is None:
        raise CrossSiteRequest("with a session, changes need the header Origin or Sec-Fetch-Site, which browsers send")
    if who and who.is_session and "HX-Request" not in request.headers and not (policy.takes_form and has_form_token()):
        raise CrossSiteRequest("with a session, changes need the header HX-Request")


def _is_our_origin(origin: str) -> bool:
    """Whether the origin is ours. A proxy may terminate TLS, so https is accepted for plain http, but never the reverse."""
    scheme, _, host = origin.lower().partition("://")
    return host == request.host.lower() and scheme in ({"https"} if request.is_secure else {"http", "https"})


def _add_headers(answer: Response) -> Response:
    answer.headers["X-Request-ID"] = request_id()
    for name, value in SECURITY_HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.is_secure:
        answer.headers.update(ON_HTTPS)
    return answer
