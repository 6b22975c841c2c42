"""The overview: every queue with what comes next, those in trouble first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from flask import render_template

from api.dashboard import frame
from api.dashboard.addresses import query_of
from api.dashboard.decisions_page import first_of_proposed
from api.dashboard.overview import DESCENDING, OverviewQuery, Row, matching, one_of_each, row_of
from api.dashboard.overview_cells import differing, lines_of
from api.edge.context import Services
from api.edge.identity import caller
from api.edge.limits_now import LimitsNow
from api.edge.policy import PAGE
from api.edge.routing import route
from api.v1.choice import choice_of
from shared.domain.jobs import JobFilter

PAGE_SIZE = 60


@route("GET", "/", PAGE, endpoint="overview")
def show(services: Services) -> str:
    """The page, or only its list where htmx asks for that."""
    query, now = query_of(OverviewQuery), datetime.now(UTC)
    every, levels = _rows(services, now), services.settings.mark_levels
    rows = one_of_each(every, query.job)
    beyond = sorted((row for row in rows if row.beyond), key=lambda row: row.beyond.first_at if row.beyond else now)
    matches, several = matching(rows, query), differing(rows)
    shown = matches[(query.page - 1) * PAGE_SIZE : query.page * PAGE_SIZE]
    return render_template(
        "_queues.html" if frame.is_fragment() else "overview.html",
        query=query,
        to_decide=first_of_proposed(services),
        lines=lines_of(services, shown, several, now),
        found=_queues(matches),
        total=_queues(rows),
        several=several,
        choice_of=choice_of,
        pages_count=-(-len(matches) // PAGE_SIZE),
        levels=sorted(levels),
        marks=_marks(rows, levels),
        beyond=beyond,
        ended=_queues(rows) - _queues([row for row in rows if not row.is_over]),
        beyond_count=_queues(beyond),
        models=sorted({row.forecast.model for row in rows}),
        jobs=sorted({row.forecast.job for row in every}),
        descending=DESCENDING,
        has_jobs=bool(rows) or bool(services.store.jobs.find(JobFilter(projects=caller().projects), 1)),
    )


def _rows(services: Services, now: datetime) -> list[Row]:
    """Every queue that the caller may see."""
    forecasts = LimitsNow(services).of_all(services.store.forecasts.newest_of_each(projects=caller().projects))
    failed, levels = services.store.run_failures.since(forecasts), services.settings.mark_levels
    return [row_of(forecast, levels, now, failed.get((forecast.series_id, forecast.job))) for forecast in forecasts]


def _queues(rows: Sequence[Row]) -> int:
    """How many queues they are of: one may have several rows, by its jobs and targets."""
    return len({row.key for row in rows})


def _marks(rows: Sequence[Row], levels: Sequence[float]) -> list[tuple[float, Row, int, int]]:
    """Level, highest first, that is some row's highest; the first to pass it, how many queues do, and how many likely.

    Who may pass a higher level passes this one too: it counts here as it stands in the list that the card leads to.
    """
    marked = sorted((row for row in rows if row.mark), key=lambda row: row.mark.first.first_at if row.mark else row.now)
    highest = {row.mark.level for row in marked if row.mark}
    found = []
    for level in sorted(highest.intersection(levels), reverse=True):
        passing = [row for row in marked if row.mark and row.mark.level >= level]
        found.append((level, passing[0], _queues(passing), _queues([row for row in passing if row.is_likely_at(level)])))
    return found
