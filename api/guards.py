"""What every request passes: its id, the check of its body, and the headers of its answer."""

from __future__ import annotations

import json
import re
from secrets import token_hex
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, request
from flask.json.provider import DefaultJSONProvider
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
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from api.callers import is_reading, known_caller
from shared.errors import CrossSiteRequest, MalformedRequest

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
BODY_IS_OPTIONAL = {
    "commands.cancel_job",
    "commands.retry_job",
    "schedules.pause_schedule",
    "schedules.resume_schedule",
}  # `curl -X POST` says all that there is to say
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class StrictJson(DefaultJSONProvider):
    """JSON as RFC 8259 has it: no NaN, no Infinity, no name twice in one object; all three change what was meant silently."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of a JSON text; raises ValueError."""
        try:
            return json.loads(s, parse_constant=_no_constant, object_pairs_hook=_no_name_twice, **kwargs)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None


def name_requests(app: Flask) -> None:
    """Give every request of this application its id, and its answer the headers of security; before all that may refuse one."""
    app.before_request(_name_request)
    app.after_request(_add_headers)
    app.teardown_request(_forget_request)


def check_requests(app: Flask) -> None:
    """Refuse what other web pages send, and bodies that are not one JSON object; after whoever asks has been let in."""
    app.json = StrictJson(app)
    app.before_request(_check_site)
    app.before_request(_check_body)


def request_id() -> str:
    """The id of the request being answered: the caller's `X-Request-ID`, or ours."""
    found: str = g.request_id
    return found


def _name_request() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _ID.fullmatch(given) else token_hex(8)
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _forget_request(_error: BaseException | None) -> None:
    """The thread answers others after this one."""
    structlog.contextvars.clear_contextvars()


def _check_body() -> None:
    """Refuse a body under /v1 that is not one JSON object; a wrong address or method is told first."""
    if request.routing_exception is not None or request.method not in {"POST", "PUT", "PATCH"}:
        return
    if not request.path.startswith("/v1/"):  # a form of a page of ours
        return
    if request.endpoint in BODY_IS_OPTIONAL and (request.is_json or not request.mimetype) and not _read_body():
        return
    if not request.is_json:
        raise UnsupportedMediaType(f"found {request.mimetype[:80] or 'no Content-Type'!r}, accepted is application/json")
    try:
        body = current_app.json.loads(_read_body())
    except ValueError as error:
        raise MalformedRequest(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise MalformedRequest(f"the body is a {type(body).__name__}, accepted is a JSON object")


def _check_site() -> None:
    """Refuse a change that a web page of another origin sends: browsers always name it in a POST, other callers never do.

    What a browser adds by itself proves nothing: with a session our own pages also say that htmx sends. Who names a token needs
    neither: a browser sends that header only after asking us, and we never allow it.
    """
    found = known_caller()
    if request.routing_exception is not None or is_reading() or "Authorization" in request.headers:
        return
    origin = request.headers.get("Origin")
    if origin is not None and origin.rpartition("//")[2].lower() != request.host.lower():
        raise CrossSiteRequest(f"found the origin {origin[:80]!r}, accepted are pages of {request.host}")
    if found and found.is_session and "HX-Request" not in request.headers:
        raise CrossSiteRequest("with a session, changes need the header HX-Request")


def _read_body() -> bytes:
    """The whole body; one that comes in chunks, without its length, is cut off at the limit by werkzeug, and refused here."""
    body, most = request.get_data(), request.max_content_length
    if request.content_length is None and most is not None and len(body) >= most:
        raise RequestEntityTooLarge
    return body


def _add_headers(answer: Response) -> Response:
    answer.headers["X-Request-ID"] = request_id()
    for name, value in SECURITY_HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.is_secure:
        answer.headers.update(ON_HTTPS)
    return answer


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:40]!r} is given twice")
    return found
