"""Which page answers which address."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from api import problems
from api.dashboard import frame, job_page, jobs_page, overview_page, queue_page, schedules_page, status, submit_page


def blueprint() -> Blueprint:
    """All pages, and the static files that they need."""
    pages = Blueprint("dashboard", __name__, template_folder="../templates", static_folder="../static", static_url_path="/static")
    pages.get("/", endpoint="overview")(overview_page.show)
    pages.get("/queues/<path:queue>", endpoint="queue")(queue_page.show)
    pages.get("/jobs", endpoint="jobs")(jobs_page.show)
    pages.get("/jobs/new", endpoint="submit")(submit_page.show)
    pages.get("/jobs/<job_id>", endpoint="job")(job_page.show)
    pages.get("/jobs/<job_id>/progress", endpoint="job_progress")(job_page.show_progress)
    pages.get("/schedules", endpoint="schedules")(schedules_page.show)
    pages.get("/status", endpoint="status")(status.show)
    frame.register(pages)
    pages.app_errorhandler(404)(_no_such_page)
    return pages


def _no_such_page(error: NotFound) -> AnyResponse | tuple[str, int, dict[str, str]]:
    """A person at a wrong address gets a page, a program its problem."""
    wants_page = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    if wants_page and not request.path.startswith("/v1/"):
        return frame.problem_page(error)
    return problems.answer_to(error)
