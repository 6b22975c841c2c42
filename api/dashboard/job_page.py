"""One job: how far it is, how each of its queues goes, what it was asked for; and a fragment that follows it to its end."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from api.dashboard.off_by import off_by
from api.edge.context import Services
from api.edge.policy import PAGE
from api.edge.projects import visible
from api.edge.routing import route
from api.v1.asked import said
from api.v1.hidden_names import hidden_names
from api.v1.job_answers import made_by, queue_reports, with_progress
from shared.domain.jobs import Job
from shared.domain.pace import in_order, pace
from shared.domain.states import may_name
from shared.store.jobs import JOBS

SHOWN_QUEUES = 200
STOP_POLLING = 286  # htmx: swap this once more, and ask no more


@route("GET", "/jobs/<job_id>", PAGE, endpoint="job")
def show(services: Services, job_id: str) -> str:
    """The page of a job."""
    job = _followed(services, job_id)
    return render_template(
        "job.html", **_context(services, job), is_fragment=False, request_json=json.dumps(said(services, job.request), indent=2)
    )


@route("GET", "/jobs/<job_id>/progress", PAGE, endpoint="job_progress")
def show_progress(services: Services, job_id: str) -> Response:
    """The fragment that htmx polls until the job has ended; an ETag answers 304 while nothing has changed."""
    job = _followed(services, job_id)
    answer = make_response(render_template("_progress.html", **_context(services, job), is_fragment=True))
    if job.state.is_terminal:
        answer.status_code = STOP_POLLING
        return answer
    answer.headers["Cache-Control"] = "no-cache, private"
    answer.add_etag(weak=True)  # compression gives it two forms
    return answer.make_conditional(request)


def _followed(services: Services, job_id: str) -> Job:
    [job] = with_progress(services, [visible(services, JOBS, job_id)])
    return job


def _context(services: Services, job: Job) -> dict[str, object]:
    reports = in_order(queue_reports(services, job))
    reasons: dict[str, list[str]] = {}
    for report in reports:
        if report.reason:
            same = report.reason.replace(f" (queue {report.queue})", "")  # what is told of each of them by its name
            reasons.setdefault(same, []).append(report.queue)
    forecasts = {forecast.queue: forecast for forecast in services.store.forecasts.find(job_id=job.job_id)}
    return {
        "job": job,
        "schedule": made_by(services, job),
        "pace": pace(job, datetime.now(UTC)),
        "queues": [(report, forecasts.get(report.queue)) for report in reports[:SHOWN_QUEUES]],
        "off_by": {each.series_id: off_by(each, None) for each in forecasts.values()},
        "reasons": sorted(reasons.items(), key=lambda each: -len(each[1])),
        "more_queues": len(reports) - SHOWN_QUEUES,
        "may_name": may_name(job),
        "hidden": hidden_names(services).of(job),
    }
