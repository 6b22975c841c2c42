"""The blueprint of all pages; `@route` says on each which address it answers."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from api import problems
from api.context import Services
from api.dashboard import frame


def blueprint(services: Services) -> Blueprint:
    """What all pages share."""
    pages = Blueprint("dashboard", __name__)
    frame.register(pages, services.settings)
    pages.app_errorhandler(404)(_no_such_page)
    return pages


def _no_such_page(error: NotFound) -> AnyResponse | tuple[str, int, dict[str, str]]:
    """A person at a wrong address gets a page, a program its problem."""
    wants_page = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    if wants_page and not request.path.startswith("/v1/"):
        return frame.problem_page(error)
    return problems.answer_to(error)
