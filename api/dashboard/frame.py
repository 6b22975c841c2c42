"""What all pages share: the frame around them, how they say numbers and times, what they say when something is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from flask import Blueprint, Response, current_app, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from api import problems
from api.callers import known_caller
from api.context import services
from api.dashboard import words
from shared import outgoing
from shared.errors import QueuecastError

STATIC = Path(__file__).parents[1] / "static"
FAULT = "Something went wrong that is ours to repair. The log has the rest under the request id of this answer."

log = structlog.get_logger()


def register(pages: Blueprint) -> None:
    """Give the pages their words, and answer their errors as pages."""
    pages.app_context_processor(_shared)
    for name in ("number", "unit", "percent", "skill", "duration"):
        pages.app_template_filter(name)(getattr(words, name))
    pages.app_template_filter("bdi")(words.name)
    pages.app_template_filter("isolated")(outgoing.isolated)
    pages.app_template_filter("readable")(outgoing.readable)
    pages.app_template_filter("moment")(lambda at: words.moment(at, zone()))
    pages.app_template_filter("age")(lambda at: words.age(at, datetime.now(UTC)))
    pages.after_request(_keep_what_has_a_hash)
    pages.register_error_handler(QueuecastError, problem_page)
    pages.register_error_handler(HTTPException, problem_page)
    pages.register_error_handler(Exception, problem_page)


def zone() -> ZoneInfo:
    """The time zone in which pages show times."""
    return ZoneInfo(services().settings.display_timezone)


def problem_page(error: Exception) -> tuple[str, int, dict[str, str]]:
    """A page that says what is wrong and what to do; the status is that of the same error under /v1."""
    if isinstance(error, HTTPException) and (error.code or 500) < 400:  # a redirect
        raise error
    answer = problems.answer_to(error)
    told = answer.get_json()
    headers = {"Retry-After": answer.headers["Retry-After"]} if "Retry-After" in answer.headers else {}
    return render_template("problem.html", problem=told), answer.status_code, headers


def is_fragment() -> bool:
    """Whether htmx asks for a part of the page that it already shows."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def _shared() -> dict[str, Any]:
    settings = services().settings
    return {
        "instance": settings.instance_name,
        "flower_url": settings.flower_url,
        "zone_name": settings.display_timezone,
        "release": version("queuecast"),
        "asset": asset,
        "now": datetime.now(UTC),
        "who": known_caller(),
        "pages": current_app.view_functions,
        "here": partial(_here, request.endpoint or ""),
    }


def _here(endpoint: str, page: str) -> str:
    """The attribute that tells which entry of the navigation is shown."""
    return "page" if endpoint.startswith(f"dashboard.{page}") else "false"


def _keep_what_has_a_hash(answer: Response) -> Response:
    """A script that another one imports has no hash in its address: browsers ask whether it is still the same."""
    if request.endpoint == "dashboard.static" and "v" not in request.args:
        answer.headers["Cache-Control"] = "no-cache"
    return answer


def asset(name: str) -> str:
    """The address of a static file, with its content's hash: browsers keep it for ever, and get a new one at once."""
    return url_for("dashboard.static", filename=name, v=_content_hash(name))


@cache
def _content_hash(name: str) -> str:
    return sha256((STATIC / name).read_bytes()).hexdigest()[:12]
