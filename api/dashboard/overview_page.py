"""The overview: every queue with what comes next, those in trouble first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from flask import render_template

from api.dashboard import frame
from api.dashboard.addresses import query_of
from api.dashboard.decisions_page import first_of_proposed
from api.dashboard.off_by import off_by_of
from api.dashboard.overview import DESCENDING, OverviewQuery, Row, matching, one_of_each, row_of
from api.dashboard.sparkline import Sparkline, sparkline
from api.edge.context import Services
from api.edge.identity import caller
from api.edge.limits_now import LimitsNow
from api.edge.policy import PAGE
from api.edge.routing import route
from api.v1.choice import choice_of
from shared.domain.jobs import JobFilter
from shared.domain.reports import Point

PAGE_SIZE = 60
SHOWN_STEPS = 72  # of the actual values before a forecast, at most as many as it looks ahead


@route("GET", "/", PAGE, endpoint="overview")
def show(services: Services) -> str:
    """The page, or only its list where htmx asks for that."""
    query, now = query_of(OverviewQuery), datetime.now(UTC)
    every, levels = _rows(services, now), services.settings.mark_levels
    rows = one_of_each(every, query.job)
    beyond = sorted((row for row in rows if row.share), key=lambda row: (row.share and row.share.first_at) or row.forecast.end_at)
    matches = matching(rows, query)
    shown = matches[(query.page - 1) * PAGE_SIZE : query.page * PAGE_SIZE]
    return render_template(
        "_queues.html" if frame.is_fragment() else "overview.html",
        query=query,
        to_decide=first_of_proposed(services),
        **_told(services, shown, now),
        found=_queues(matches),
        total=_queues(rows),
        clusters={row.forecast.cluster for row in rows},
        projects={row.forecast.project for row in rows},
        forms={(row.forecast.step_seconds, row.forecast.aggregation) for row in rows},
        choice_of=choice_of,
        pages_count=-(-len(matches) // PAGE_SIZE),
        levels=sorted(levels),
        marks=_marks(rows, levels),
        beyond=beyond,
        ended=_queues(rows) - _queues([row for row in rows if row.peak]),
        beyond_count=_queues(beyond),
        models=sorted({row.forecast.model for row in rows}),
        jobs=sorted({row.forecast.job for row in every}),
        descending=DESCENDING,
        has_jobs=bool(rows) or bool(services.store.jobs.find(JobFilter(projects=caller().projects), 1)),
    )


def _told(services: Services, shown: Sequence[Row], now: datetime) -> dict[str, object]:
    """What is read for the rows of one page alone."""
    off_by = off_by_of(services, (row.forecast for row in shown), now)
    return {"rows": list(zip(shown, _sparklines(services, shown), strict=True)), "off_by": off_by}


def _rows(services: Services, now: datetime) -> list[Row]:
    """Every queue that the caller may see."""
    forecasts = LimitsNow(services).of_all(services.store.forecasts.newest_of_each(projects=caller().projects))
    failed, levels = services.store.run_failures.since(forecasts), services.settings.mark_levels
    return [row_of(forecast, levels, now, failed.get((forecast.series_id, forecast.job))) for forecast in forecasts]


def _queues(rows: Sequence[Row]) -> int:
    """How many queues they are of: one may have several rows, by its jobs and targets."""
    return len({(row.forecast.project, row.forecast.cluster, row.forecast.queue) for row in rows})


def _marks(rows: Sequence[Row], levels: Sequence[float]) -> list[tuple[float, Row, int, int]]:
    """Level, highest first, that is some row's highest; the first to pass it, how many queues do, and how many likely.

    Who may pass a higher level passes this one too: it counts here as it stands in the list that the card leads to.
    """
    marked = sorted(
        (row for row in rows if row.mark), key=lambda row: (row.mark and row.mark.steps.first_at) or row.forecast.end_at
    )
    highest = {row.mark.level for row in marked if row.mark}
    found = []
    for level in sorted(highest.intersection(levels), reverse=True):
        passing = [row for row in marked if row.mark and row.mark.level >= level]
        found.append((level, passing[0], _queues(passing), _queues([row for row in passing if row.is_likely_at(level)])))
    return found


def _sparklines(services: Services, rows: Sequence[Row]) -> list[Sparkline]:
    """One per row; the actual values of all rows of a step are read at once."""
    alike: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        alike[row.forecast.step_seconds].append(row)
    actuals: dict[str, list[Point]] = {}
    for group in alike.values():
        series, start, end = (
            {row.forecast.series_id for row in group},
            min(map(_start, group)),
            max(row.forecast.end_at for row in group),
        )
        actuals |= services.store.actuals.of_series(series, start, end)
    return [_sparkline(row, actuals.get(row.forecast.series_id, [])) for row in rows]


def _sparkline(row: Row, actuals: Sequence[Point]) -> Sparkline:
    start = _start(row)
    return sparkline(row.forecast, [point for point in actuals if point.timestamp >= start], start)


def _start(row: Row) -> datetime:
    steps = min(SHOWN_STEPS, row.forecast.horizon_steps)
    return row.forecast.start_of(1 - steps)
