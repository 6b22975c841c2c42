"""The list of jobs, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import render_template, request, url_for

from api.dashboard import frame
from api.dashboard.addresses import query_of
from api.edge.context import Services
from api.edge.policy import PAGE
from api.edge.routing import route
from api.schema.queries import JobsQuery
from api.v1.hidden_names import hidden_names
from api.v1.job_answers import page_of_jobs
from shared.domain.jobs import JobState
from shared.domain.pace import pace


@route("GET", "/jobs", PAGE, endpoint="jobs")
def show(services: Services) -> str:
    """The page, or only its list where htmx asks for that."""
    query, now = query_of(JobsQuery), datetime.now(UTC)
    jobs, cursor = page_of_jobs(services, query)
    filters: dict[str, Any] = {name: value for name, value in request.args.items() if value and name != "cursor"}
    return render_template(
        "_jobs.html" if frame.is_fragment() else "jobs.html",
        query=query,
        jobs=jobs,
        older=url_for("dashboard.jobs", **filters, cursor=cursor) if cursor else None,
        newest=url_for("dashboard.jobs", **filters) if query.cursor else None,
        is_filtered=bool(filters),
        states=list(JobState),
        hidden=hidden_names(services),
        left={job.job_id: pace(job, now).left for job in jobs},
    )
