"""Errors as answers: RFC 9457 problem details for everything that goes wrong. The table of HTTP statuses is here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import structlog
from flask import Flask, Response, current_app, request
from flask_limiter import RateLimitExceeded
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as NoSuchAddress
from werkzeug.http import HTTP_STATUS_CODES

from api.edge.context import EXTENSION, Services
from api.edge.login import login_address, path_of
from api.edge.refusals import FieldProblem, field_problems, shortened
from shared.errors import (
    AccessError,
    AllowanceUsedUp,
    Conflict,
    KeyReused,
    MalformedRequest,
    NotAuthenticated,
    NotFound,
    QueuecastError,
    RecordError,
    RequestError,
    ServiceError,
    SeveralSeries,
    TooManyCandidates,
    TooManyRequests,
    UnknownHyperparameter,
    UnknownModel,
    VersionDiffers,
    VersionMissing,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
SINCE_IN_LOG = "; the log says since when and why"
REST_IN_LOG = "; the log has the rest under the request id of this answer"
MAX_DETAIL_LENGTH, MAX_PATH_LENGTH = 4_000, 300
STATUS: tuple[tuple[type[QueuecastError], int], ...] = (  # the first family that fits; any other is an internal error
    (MalformedRequest, 400),
    (NotFound, 404),
    (Conflict, 409),
    (VersionDiffers, 412),
    (VersionMissing, 428),
    (RequestError, 422),
    (NotAuthenticated, 401),
    (TooManyRequests, 429),
    (AllowanceUsedUp, 429),
    (AccessError, 403),
    (RecordError, 500),
    (ServiceError, 503),
)
FIELDS: Mapping[type[QueuecastError], str] = {  # what an error is about, where its class says so
    UnknownModel: "model",
    UnknownHyperparameter: "hyperparameters",
    TooManyCandidates: "max_candidates",
    KeyReused: "Idempotency-Key",
}

log = structlog.get_logger()


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="which kind of problem, for programs; about:blank = the status says all")
    title: str = Field(description="the kind of problem, for people")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="what happened here, and what to do about it")
    instance: str = Field(description="the path that was asked for")
    errors: list[FieldProblem] | None = Field(None, description="with 422: every field that is wrong")
    checks: dict[str, str] | None = Field(None, description="of /readyz: service → ok, or what is wrong")
    choices: list[Mapping[str, str]] | None = Field(None, description="with 409, where a name stands for several series: queries")


def problem(
    status: int,
    detail: str,
    *,
    title: str = "",
    kind: str = "about:blank",
    errors: list[FieldProblem] | None = None,
    checks: dict[str, str] | None = None,
    choices: Sequence[Mapping[str, str]] | None = None,
) -> Response:
    """A problem details answer."""
    title = title or HTTP_STATUS_CODES[status]
    detail, path = shortened(detail, MAX_DETAIL_LENGTH), shortened(request.path, MAX_PATH_LENGTH)
    about = {"type": kind, "title": title, "status": status, "detail": detail, "instance": path}
    document = Problem.model_validate(about | {"errors": errors, "checks": checks, "choices": choices})
    answer = Response(document.model_dump_json(exclude_none=True), status, mimetype=MEDIA_TYPE)
    if status in {429, 503}:
        answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="queuecast"'
        if "HX-Request" in request.headers:  # htmx asks for a part of a page: have it load the login instead
            answer.headers["HX-Redirect"] = login_address(path_of(request.headers.get("HX-Current-URL", "")))
    return answer


def refusal(error: ValidationError, form: type[BaseModel]) -> Response:
    """The answer to what the form does not accept: 422 with all problems at once; the first is the detail."""
    wrong_fields = field_problems(error, form)
    more = f" (and {error.error_count() - 1} more)" if len(wrong_fields) > 1 else ""
    title = "The request has values that are not accepted"
    return problem(422, wrong_fields[0].line() + more, title=title, kind=_kind("InvalidRequest"), errors=wrong_fields)


def register(app: Flask) -> None:
    """Answer every error of this application as a problem."""
    for family in (HTTPException, QueuecastError, Exception):
        app.register_error_handler(family, answer_to)


def answer_to(error: Exception) -> Response:
    """The answer to any error."""
    match error:
        case RateLimitExceeded():
            return _of_ours(TooManyRequests(f"accepted are {error.description}"))
        case HTTPException():
            return _of_http(error)
        case QueuecastError():
            return _of_ours(error)
        case _:
            return _of_a_fault(error)


def _of_http(error: HTTPException) -> Response:
    """An error of Flask or werkzeug; its headers, such as Allow, are kept."""
    answer = problem(error.code or 500, _detail(error), title=error.name)
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            answer.headers[name] = value
    return answer


def _detail(error: HTTPException) -> str:
    match error:
        case MethodNotAllowed():
            accepted = sorted(error.valid_methods or ())
            return f"found {request.method}, accepted here: {', '.join(accepted)}"
        case RequestEntityTooLarge():
            return f"the body is larger than the accepted {request.max_content_length} bytes"
        case NoSuchAddress():
            return "nothing is served at this address; /docs shows what is"
        case _:
            return error.description or ""


def _of_ours(error: QueuecastError) -> Response:
    status = next((status for family, status in STATUS if isinstance(error, family)), None)
    if status is None:
        return _of_a_fault(error)
    detail, errors = str(error), None
    if status == 503:
        services: Services = current_app.extensions[EXTENSION]
        if not services.outages.met(error):
            log.warning("a service is away", error=detail)
        detail = error.public + ("" if error.tells_detail else SINCE_IN_LOG)
    if status == 422:
        errors = [FieldProblem(loc=_field(error), msg=shortened(detail, MAX_DETAIL_LENGTH))]
    choices = error.choices if isinstance(error, SeveralSeries) else None
    return problem(status, detail, title=error.headline, kind=_kind(type(error).__name__), errors=errors, choices=choices)


def _of_a_fault(error: Exception) -> Response:
    """500: the traceback goes to the log, nothing of it into the answer."""
    log.error("internal error", exc_info=error)
    return problem(500, "internal error" + REST_IN_LOG)


def _field(error: QueuecastError) -> Sequence[str]:
    field = FIELDS.get(type(error)) or error.ids.get("field")
    return str(field).split(".") if field else []


def _kind(error: str) -> str:
    """`UnknownModel` → `urn:queuecast:unknown-model`."""
    return "urn:queuecast:" + re.sub(r"(?<!^)(?=[A-Z])", "-", error).lower()
