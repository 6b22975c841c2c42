"""One queue: what comes next and how sure it is, why that model won, how good the data were, what was forecast before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Literal
from urllib.parse import quote, urlencode

from flask import render_template, request
from pydantic import Field

from api.dashboard.addresses import query_of
from api.dashboard.chart_lines import chart_lines, limits_before
from api.dashboard.components import made_of
from api.dashboard.drawn import drawn
from api.dashboard.family import Family, family_of
from api.dashboard.known_times import known_times
from api.dashboard.laid_over import choices_of, laid_over
from api.dashboard.newest_values import newest_values
from api.dashboard.off_by import off_by_of
from api.dashboard.overview import row_of
from api.dashboard.own_zone import zone_of_reader
from api.dashboard.today import today_of
from api.dashboard.whatif import slider_of
from api.edge.context import Services
from api.edge.limits_now import as_now
from api.edge.policy import PAGE
from api.edge.routing import route
from api.schema import fields
from api.schema.queries import SeriesChoice
from api.v1.accuracy import accuracy_answer, like_issues
from api.v1.choice import choice_of, chosen_forecast
from api.v1.clusters import changes_of, gone_of
from api.v1.queue_answers import standings
from api.v1.usage import usage_beside
from shared.domain.accuracy import MONTH_DAYS
from shared.domain.exceedance import steps_over
from shared.domain.forecasts import Forecast
from shared.domain.job_warnings import loss_lines
from shared.domain.outgoing import in_path
from shared.domain.outlook import breaches, levels_told, why_untold
from shared.domain.peaks import daily_peaks
from shared.domain.relative import relative_of
from shared.domain.reports import QualityReport, QueueReport, ReportedScore
from shared.domain.wording import counted
from shared.errors import QueueNotFound

MAX_COMPARED = 4
MAX_ISSUES = 60
ABOUT_SCORE = {
    ReportedScore.KEPT_APART: "Kept apart: the shown score is that of the newest window, which took no part in the choice.",
    ReportedScore.MEDIAN_WINDOW: (
        "The WAPE that is shown is that of the window in the middle: the error to expect. All else, and the leaderboard, "
        "is of all windows, by which the winner was chosen."
    ),
    ReportedScore.SELECTED_ON: (
        "The shown score is that of the windows on which the winner was chosen; "
        "of many candidates the best was also lucky there, so expect about a tenth more."
    ),
}
BLANK = ("project", "where", "day_timezone")  # what a query may give as nothing: jobs may be of no project


class QueueQuery(SeriesChoice):
    """What the address says beside the queue; everything has a default."""

    issued_at: fields.Moment | None = Field(None, description="of an earlier forecast")
    compare: tuple[fields.FilledLabel, ...] = Field((), max_length=MAX_COMPARED, description="queues that are drawn too")
    over: fields.FilledLabel | None = Field(None, description="id of a job, whose forecast of the same series is laid over")
    days: Literal["7", "14", "30", "90", "400"] = Field("14", description="of the past that are drawn")
    from_at: fields.Moment | None = Field(None, alias="from", description="of what is zoomed to, instead of a whole tab")
    to_at: fields.Moment | None = Field(None, alias="to", description="its end")
    tab: Literal["today", "1", "2", "3", "all"] = Field("today", description="the day, those after it, three days, or all")
    parent: fields.FilledLabel | None = Field(None, description="what if it were below this queue")
    capacity: fields.FilledLabel | None = Field(None, description="and so much of it guaranteed, such as 30%")


@route("GET", "/queues/<path:queue>", PAGE, endpoint="queue")
def show(services: Services, queue: str) -> str:
    """The page of a queue's newest forecast, or of the one issued at `issued_at`."""
    query, now = query_of(QueueQuery, several=("compare",), blank=BLANK), datetime.now(UTC)
    forecasts = services.store.forecasts
    forecast = forecasts.with_paths(chosen_forecast(services, queue, query, query.issued_at))
    is_newest = query.issued_at is None and query.job_id is None
    is_newest = is_newest or replace(forecast, paths=None) == forecasts.newest(forecast.series_id, forecast.job)
    beside = forecasts.queues(forecast.metric, cluster=forecast.cluster, projects=[forecast.project])
    others = [name for name in beside if name != queue]
    compared = [like for name in query.compare if name in others and (like := _like(services, forecast, name))]
    row = row_of(present := as_now(services, forecast), services.settings.mark_levels, now)
    return render_template(
        "queue.html",
        query=query,
        row=row,
        **made_of(present, row.peak),
        relative=relative_of(present, now) if row.peak else None,
        is_newest=is_newest,
        **_today(services, forecast, query, now),
        **_ahead(services, forecast, query, now, is_newest=is_newest),
        drawn=[drawn(forecast, is_newest=is_newest), *map(drawn, compared)],
        others=[name for name in others if name not in query.compare],
        page_with=lambda **changes: _address(queue, changes),
        newest=_address(queue, {**choice_of(forecast), "issued_at": None, "job_id": None}),
        **_report(services, forecast),
        **_marks(services, forecast, min(now, forecast.issued_at) - timedelta(days=int(query.days))),
        past=accuracy_answer(services, forecast, now - timedelta(days=MONTH_DAYS), now),
        failure=services.store.run_failures.after(forecast) if is_newest else None,
    )


def _today(services: Services, forecast: Forecast, query: QueueQuery, now: datetime) -> dict[str, object]:
    """The day that is shown first, and what was forecast before it, or is laid over by choice, as it is drawn."""
    over, drawn_over = laid_over(services, forecast, query.over)
    issues = like_issues(services, forecast, MAX_ISSUES)
    today = today_of(services, forecast, now, zone_of_reader(services.settings.display_timezone))
    before = drawn(today.before, is_newest=False) if today.before else None
    return {
        "today": today,
        "before": drawn_over or before,
        "over": over,
        "choices": choices_of(services, forecast, issues),
        "issues": issues,
        "newest_values": newest_values(services, forecast, now),
    }


def _ahead(services: Services, forecast: Forecast, query: QueueQuery, now: datetime, *, is_newest: bool) -> dict[str, object]:
    """What is told of the steps still ahead."""
    present = as_now(services, forecast)
    is_told = is_newest and why_untold(forecast, now) is None
    family = family_of(services, forecast, query.parent, query.capacity, now) if is_told else Family()
    return {
        "off_by": off_by_of(services, [forecast], now)[forecast.series_id],
        "peaks": daily_peaks(forecast, now) if steps_over(forecast, now) < forecast.horizon_steps else (),
        "breaches": breaches(present, levels_told(present), now),
        "slider": slider_of(present) if is_told else None,
        "family": family,
        "usage": usage_beside(services, forecast) if is_newest else None,
        "gone": gone_of(services, [forecast]).get((forecast.cluster, forecast.queue)),
    }


def _marks(services: Services, forecast: Forecast, start: datetime) -> dict[str, object]:
    """What is drawn beside the values since `start`: what is not to be crossed, changes of it, and times known to be special."""
    changes = changes_of(services, forecast, start, forecast.end_at)
    past = limits_before(services, forecast, changes)
    return {
        "lines": chart_lines(as_now(services, forecast), services.settings.mark_levels, past),
        "changes": changes,
        "times": known_times(services, forecast, start, forecast.end_at),
    }


def _like(services: Services, forecast: Forecast, queue: str) -> Forecast | None:
    """The newest forecast of another queue: of the same rows, step, aggregation and name of the job, where there is one.

    None = it cannot be read, or has just gone.
    """

    def likeness(other: Forecast) -> tuple[object, ...]:
        parts = attrgetter("where", "step_seconds", "aggregation", "day_timezone")
        is_alike = parts(other) == parts(forecast)
        return is_alike, other.job == forecast.job, other.issued_at, other.created_at

    same = {"metric": forecast.metric, "cluster": forecast.cluster}
    return max(services.store.forecasts.newest_of_each(queue, **same, projects=[forecast.project]), key=likeness, default=None)


def _address(queue: str, changes: Mapping[str, object]) -> str:
    """This page with something changed; None takes a value away."""
    query = {**request.args.to_dict(flat=False), **changes}
    given = {name: value for name, value in query.items() if value is not None and (value != [""] or name in BLANK)}
    parameters = urlencode(given, doseq=True, quote_via=quote)
    return f"/queues/{in_path(queue)}{'?' if parameters else ''}{parameters}"


def _report(services: Services, forecast: Forecast) -> dict[str, object]:
    """Leaderboard and data quality of the job that made the forecast; both may be gone before the forecast is."""
    try:
        report: QueueReport | None = services.store.reports.get(forecast.job_id, forecast.queue)
    except QueueNotFound:
        report = None
    leaderboard = standings(report) if report else []
    return {
        "report": report,
        "standings": leaderboard,
        "failures": sum(standing.rank is None for standing in leaderboard),
        "about_score": ABOUT_SCORE[report.selected_on] if report else "",
        "quality": list(quality_lines(report.quality)) if report and report.quality else [],
        "losses": loss_lines(report.quality) if report and report.quality else [],
    }


def quality_lines(quality: QualityReport) -> Iterator[str]:
    """What was found in the data and what was done about it."""
    yield f"{counted(quality.rows, 'sample')} became {counted(quality.steps, 'step')}."
    yield from (f"{note[0].upper()}{note[1:].rstrip('.')}." for note in quality.notes)
