"""The overview: every queue with what comes next, those in trouble first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from flask import render_template

from api.dashboard import frame
from api.dashboard.addresses import query_of
from api.dashboard.decisions_page import first_of_proposed
from api.dashboard.glance import glance_of
from api.dashboard.overview import DESCENDING, OverviewQuery, Row, matching, one_of_each
from api.dashboard.overview_cells import Line, differing, lines_of
from api.dashboard.overview_chips import address_of, export_of, given_chips, hidden_fields, more_chips, risk_chips
from api.dashboard.overview_rows import BLANK, rows_of
from api.dashboard.overview_tree import Entry, entries_of, has_parents, page_of
from api.edge.context import Services
from api.edge.identity import caller
from api.edge.policy import PAGE
from api.edge.routing import route
from api.v1.choice import choice_of
from shared.domain.jobs import JobFilter

PAGE_SIZE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A line of the page: of a queue, or of a parent that has no forecast itself (line = None)."""

    entry: Entry
    line: Line | None


@route("GET", "/", PAGE, endpoint="overview")
def show(services: Services) -> str:
    """The page, or only its list where htmx asks for that."""
    query, now = query_of(OverviewQuery, blank=BLANK), datetime.now(UTC)
    every, levels = rows_of(services, now), services.settings.mark_levels
    rows = one_of_each(every, query.job)
    jobs = sorted({row.forecast.job for row in every})
    return render_template(
        "_queues.html" if frame.is_fragment() else "overview.html",
        query=query,
        to_decide=first_of_proposed(services),
        glance=None if frame.is_fragment() else glance_of(services, now, is_live=False),
        levels=sorted(levels),
        marks=_marks(rows, levels),
        beyond=sorted((row for row in rows if row.beyond), key=lambda row: row.beyond.first_at if row.beyond else now),
        beyond_count=_queues([row for row in rows if row.beyond]),
        ended=_queues(rows) - _queues([row for row in rows if not row.is_over]),
        has_jobs=bool(rows) or bool(services.store.jobs.find(JobFilter(projects=caller().projects), 1)),
        choice_of=choice_of,
        descending=DESCENDING,
        address=partial(address_of, query),
        export=export_of(query),
        hidden=hidden_fields(query),
        given=[*given_chips(query)],
        risks=risk_chips(rows, query, levels),
        groups=more_chips(rows, query, jobs),
        has_parents=has_parents(rows),
        **_list(services, rows, query, now),
    )


def _list(services: Services, rows: Sequence[Row], query: OverviewQuery, now: datetime) -> dict[str, object]:
    """The lines of the page that is asked for."""
    matches, several = matching(rows, query), differing(rows)
    is_tree = query.view == "tree"
    entries = entries_of(matches) if is_tree else [_alone(row) for row in matches]
    shown = page_of(entries, (query.page - 1) * PAGE_SIZE, PAGE_SIZE)
    lines = iter(lines_of(services, [entry.row for entry in shown if entry.row], several, now))
    return {
        "listed": [Listed(entry=entry, line=next(lines) if entry.row else None) for entry in shown],
        "is_tree": is_tree,
        "several": several,
        "found": _queues(matches),
        "total": _queues(rows),
        "pages_count": -(-len(entries) // PAGE_SIZE),
    }


def _alone(row: Row) -> Entry:
    return Entry(depth=0, name=row.forecast.queue, path=row.key, row=row)


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
