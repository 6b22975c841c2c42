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
from flask import Blueprint, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from api import problems
from api.callers import known_caller
from api.dashboard import words
from shared import outgoing
from shared.errors import QueuecastError
from shared.settings import Settings

STATIC = Path(__file__).parents[1] / "static"

log = structlog.get_logger()


def register(pages: Blueprint, settings: Settings) -> None:
    """Give the pages their words, and answer their errors as pages."""
    zone = ZoneInfo(settings.display_timezone)
    pages.app_context_processor(partial(_shared, settings))
    for name in ("number", "unit", "percent", "skill", "duration"):
        pages.app_template_filter(name)(getattr(words, name))
    pages.app_template_filter("bdi")(words.name)
    pages.app_template_filter("isolated")(outgoing.isolated)
    pages.app_template_filter("readable")(outgoing.readable)
    pages.app_template_filter("moment")(lambda at: words.moment(at, zone))
    pages.app_template_filter("age")(lambda at: words.age(at, datetime.now(UTC)))
    pages.register_error_handler(QueuecastError, problem_page)
    pages.register_error_handler(HTTPException, problem_page)
    pages.register_error_handler(Exception, problem_page)


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


def _shared(settings: Settings) -> dict[str, Any]:
    return {
        "instance": settings.instance_name,
        "flower_url": settings.flower_url,
        "zone_name": settings.display_timezone,
        "release": version("queuecast"),
        "asset": asset,
        "now": datetime.now(UTC),
        "who": known_caller(),
        "here": partial(_here, request.endpoint or ""),
    }


def _here(endpoint: str, page: str) -> str:
    """The attribute that tells which entry of the navigation is shown."""
    return "page" if endpoint.startswith(f"dashboard.{page}") else "false"


def asset(name: str) -> str:
    """The address of a static file, with its content's hash: browsers keep it for ever, and get a new one at once."""
    return url_for("dashboard.static", filename=name, v=_content_hash(name))


@cache
def _content_hash(name: str) -> str:
    return sha256((STATIC / name).read_bytes()).hexdigest()[:12]
