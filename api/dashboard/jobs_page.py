"""The list of jobs, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from flask import render_template, request, url_for

from api.callers import caller
from api.context import Services
from api.dashboard import frame
from api.dashboard.addresses import query_of
from api.edge import PAGE, route
from api.paging import cursor_after, position
from api.progress import with_progress
from api.requests import JobsQuery
from shared.jobs import JobState


@route("GET", "/jobs", PAGE, endpoint="jobs")
def show(services: Services) -> str:
    """The page, or only its list where htmx asks for that."""
    query = query_of(JobsQuery)
    before = position(query.cursor, services.cursor_key) if query.cursor is not None else None
    found = services.store.jobs(replace(query.to_filter(), projects=caller().projects), query.limit + 1, before)
    page = found[: query.limit]
    cursor = cursor_after(page[-1], services.cursor_key) if len(found) > len(page) else None
    asked = {name: value for name, value in request.args.items() if value and name != "cursor"}
    return render_template(
        "_jobs.html" if frame.is_fragment() else "jobs.html",
        query=query,
        jobs=with_progress(services, page),
        older=_address({**asked, "cursor": cursor}) if cursor else None,
        newest=_address(asked) if query.cursor else None,
        is_filtered=bool(asked),
        states=list(JobState),
    )


def _address(asked: Mapping[str, str]) -> str:
    """This page, asking for that."""
    return f"{url_for('dashboard.jobs')}?{urlencode(asked)}"
