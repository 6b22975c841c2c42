"""Several queues beside each other, each with what was forecast over what came, all with one cursor; or all in one chart."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from flask import render_template
from pydantic import Field

from api.dashboard.addresses import query_of, queue_address
from api.dashboard.chart_lines import chart_lines
from api.dashboard.drawn import drawn
from api.dashboard.overview import OverviewQuery, Row, matching, one_of_each
from api.dashboard.overview_rows import rows_of
from api.dashboard.own_zone import zone_of_reader
from api.dashboard.sparkline import sparkline
from api.dashboard.today import today_of
from api.dashboard.words import shown
from api.edge.context import Services
from api.edge.policy import PAGE
from api.edge.routing import route
from api.schema import fields
from api.schema.forms import Form

PAGE_SIZE = 12


class ChartsQuery(Form):
    """What the address says; everything has a default."""

    q: str = Field("", max_length=250, description="part of a queue's name")
    job: str = Field("", max_length=250, description="only forecasts of this job")
    tab: Literal["today", "1", "3"] = Field("today", description="the day, the one after it, or three days")
    together: bool = Field(False, description="all in one chart")
    from_at: fields.Moment | None = Field(None, alias="from", description="of what is zoomed to, instead of a whole tab")
    to_at: fields.Moment | None = Field(None, alias="to", description="its end")
    page: int = Field(1, ge=1, le=10_000)


@route("GET", "/charts", PAGE, endpoint="charts")
def show(services: Services) -> str:
    """The page; queues whose forecast has ended are counted and not drawn."""
    query, now = query_of(ChartsQuery), datetime.now(UTC)
    every = rows_of(services, now)
    rows = matching(one_of_each(every, query.job), OverviewQuery(q=query.q))
    ahead = [row for row in rows if not row.is_over]
    page = ahead[(query.page - 1) * PAGE_SIZE : query.page * PAGE_SIZE]
    return render_template(
        "charts.html",
        query=query,
        charts=[_chart(services, row, now) for row in page],
        total=len(ahead),
        ended=len(rows) - len(ahead),
        pages_count=-(-len(ahead) // PAGE_SIZE),
        jobs=sorted({row.forecast.job for row in every}),
        is_of_one_unit=len({(shown(row.forecast).symbol, row.forecast.metric) for row in page}) == 1,
    )


def _chart(services: Services, row: Row, now: datetime) -> dict[str, object]:
    """What the page tells of a queue, and what its script draws."""
    forecast, told = row.forecast, shown(row.forecast)
    today = today_of(services, forecast, now, zone_of_reader(services.settings.display_timezone))
    actuals = services.store.actuals.get(forecast.series_id, today.midnight, forecast.end_at)
    data = {
        **drawn(forecast),
        "before": drawn(today.before, is_newest=False)["address"] if today.before else None,
        "scale": told.factor,
        "unit": told.symbol,
        "lines": chart_lines(forecast, ()),
    }
    return {
        "row": row,
        "data": data,
        "address": queue_address(forecast),
        "midnight": today.seconds,
        "spark": sparkline(forecast, actuals, min(today.midnight, forecast.issued_at)),
    }
