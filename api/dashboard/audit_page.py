"""Who has done what to decisions and policies, for administrators: the newest first, by text and by time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flask import render_template
from pydantic import Field

from api.dashboard.addresses import query_of
from api.edge.context import Services
from api.edge.routing import route
from api.schema.queries import Query
from api.v1.audits import MAX_ENTRIES, TRAIL

PER_PAGE = 50
TRAIL_PAGE = replace(TRAIL, leads_to_login=True)


class TrailQuery(Query):
    """Which entries."""

    q: str = Field("", max_length=120, description="in what was done, to what, by whom or why")
    days: int = Field(30, ge=1, le=3_650, description="how far back")
    page: int = Field(1, ge=1, le=100_000)


@route("GET", "/audit", TRAIL_PAGE, endpoint="audit")
def show(services: Services) -> str:
    """The page."""
    query = query_of(TrailQuery)
    entries = services.store.audits.newest(datetime.now(UTC) - timedelta(days=query.days), MAX_ENTRIES)
    sought = query.q.casefold()
    found = [
        entry
        for entry in entries
        if sought in "\n".join((entry.what, entry.subject, entry.cluster, entry.project, entry.name, entry.reason)).casefold()
    ]
    start = (query.page - 1) * PER_PAGE
    is_cut = len(entries) == MAX_ENTRIES
    shown = found[start : start + PER_PAGE]
    return render_template("audit.html", query=query, entries=shown, total=len(found), per_page=PER_PAGE, is_cut=is_cut)
