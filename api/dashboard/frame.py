"""What all pages share: template filters and context, static files, error pages."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from flask import Blueprint, Response, render_template, request, send_from_directory, url_for
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as AnyResponse

from api.dashboard import words
from api.dashboard.own_zone import zone_of_reader
from api.edge import compression, problems
from api.edge.identity import known_caller
from api.edge.login import asked_address, wants_page
from api.edge.policy import PROBE
from api.edge.routing import route
from shared.config.settings import Settings
from shared.domain import outgoing
from shared.domain.evidence import gigabytes
from shared.domain.exceedance import limit_of
from shared.domain.tokens import Scope
from shared.errors import QueuecastError

STATIC = Path(__file__).with_name("static")
YEAR_SECONDS = 31_536_000
OF_VALUES = (
    "number",
    "shown",
    "amount",
    "between",
    "short",
    "short_between",
    "memory",
    "work",
    "added",
    "difference",
    "percent",
    "exact_percent",
    "skill",
    "duration",
    "lasting",
)


def blueprint(settings: Settings) -> Blueprint:
    """The blueprint of the pages, with their template filters and error pages; `@route` gives each page its address."""
    pages = Blueprint("dashboard", __name__)
    filters: dict[str, Callable[..., object]] = {
        **{name: getattr(words, name) for name in OF_VALUES},
        "bdi": words.name,
        "isolated": outgoing.isolated,
        "readable": outgoing.readable,
        "limit_of": limit_of,
        "gigabytes": gigabytes,
        "day": words.day,
        "moment": lambda at: words.moment(at, zone_of_reader(settings.display_timezone), datetime.now(UTC)),
        "age": lambda at: words.age(at, datetime.now(UTC)),
    }
    pages.record(lambda state: state.app.jinja_env.filters.update(filters))
    pages.app_context_processor(partial(_shared, settings))
    for family in (QueuecastError, HTTPException, Exception):
        pages.register_error_handler(family, problem_page)
    pages.app_errorhandler(404)(_no_such_page)
    return pages


@route("GET", "/static/<path:filename>", PROBE)
def static(filename: str) -> Response:
    """Send a file; browsers cache it for a year if the address has the hash of its content, else they revalidate."""
    answer = send_from_directory(STATIC, filename, max_age=YEAR_SECONDS if "v" in request.args else None)
    etag, _ = answer.get_etag()
    if compression.is_text(answer.mimetype or "") and etag:
        answer.set_etag(etag, weak=True)
        if answer.status_code == 200 and compression.is_wanted():
            answer.close()
            compression.put(answer, _compressed(filename, etag))
    return answer


@route("GET", "/favicon.ico", PROBE)
def favicon() -> Response:
    """Send the icon to whoever asks for it without reading a page."""
    return Response((STATIC / "icon.svg").read_bytes(), mimetype="image/svg+xml")


@cache
def _compressed(filename: str, _etag: str) -> bytes:
    """The file, as small as it gets; once, until it changes."""
    return gzip.compress((STATIC / filename).read_bytes(), 9, mtime=0)


def _no_such_page(error: NotFound) -> AnyResponse | tuple[str, int, dict[str, str]]:
    """A person at a wrong address gets a page, a program its problem."""
    return problem_page(error) if wants_page() and not request.path.startswith("/v1/") else problems.answer_to(error)


def problem_page(error: Exception) -> tuple[str, int, dict[str, str]]:
    """The error page; the status is that of the same error under /v1."""
    if isinstance(error, HTTPException) and (error.code or 500) < 400:  # a redirect
        raise error
    answer = problems.answer_to(error)
    problem = answer.get_json()
    headers = {name: answer.headers[name] for name in ("Retry-After", "HX-Redirect") if name in answer.headers}
    return render_template("problem.html", problem=problem), answer.status_code, headers


def is_fragment() -> bool:
    """Whether htmx asks for a part of the page that it already shows."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def _shared(settings: Settings) -> dict[str, object]:
    who = known_caller()
    return {
        "instance": settings.instance_name,
        "flower_url": settings.flower_url,
        "zone_name": zone_of_reader(settings.display_timezone).key,
        "here": asked_address(),
        "may_write": who is not None and who.scope.covers(Scope.WRITE),
        "is_admin": who is not None and who.scope is Scope.ADMIN and who.projects is None,
        "release": version("queuecast"),
        "asset": asset,
        "now": datetime.now(UTC),
        "who": who,
        "current": partial(_current, request.endpoint or ""),
    }


def _current(endpoint: str, page: str) -> str:
    """The attribute aria-current of an entry of the navigation."""
    return "page" if endpoint.startswith(f"dashboard.{page}") else "false"


def asset(name: str) -> str:
    """The address of a static file, with the hash of its content, so that browsers can cache it."""
    return url_for("dashboard.static", filename=name, v=_content_hash(name))


@cache
def _content_hash(name: str) -> str:
    return sha256((STATIC / name).read_bytes()).hexdigest()[:12]
