"""The list of the overview as a file for a spreadsheet: the same queues in the same order, all pages of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from flask import Response

from api.dashboard.addresses import query_of
from api.dashboard.off_by import OffBy, off_by_of
from api.dashboard.overview import OverviewQuery, Row, matching, one_of_each
from api.dashboard.overview_cells import Use, uses_of
from api.dashboard.overview_rows import BLANK, rows_of
from api.dashboard.queue_owners import owners_by_name
from api.edge.context import Services
from api.edge.policy import PAGE
from api.edge.routing import route
from shared.domain.forecasts import Forecast
from shared.domain.outgoing import cell
from shared.domain.series import named_cluster

FILE = "queues.csv"


@route("GET", "/queues.csv", PAGE, endpoint="overview_csv")
def export(services: Services) -> Response:
    """Numbers are in the unit of the queue's values, times in UTC; texts that would be formulas are quoted."""
    query, now = query_of(OverviewQuery, blank=BLANK), datetime.now(UTC)
    rows = matching(one_of_each(rows_of(services, now), query.job), query)
    text = io.StringIO()
    writer = csv.writer(text)
    for line in _lines(services, rows, now):
        writer.writerow([cell("" if value is None else value) for value in line])
    headers = {"Content-Disposition": f"attachment; filename={FILE}"}
    return Response(text.getvalue(), mimetype="text/csv", headers=headers)


def _lines(services: Services, rows: Sequence[Row], now: datetime) -> Iterator[Sequence[object]]:
    uses, owners = uses_of(services, rows, now), owners_by_name(services)
    off_by = off_by_of(services, (row.forecast for row in rows), now)
    for number, row in enumerate(rows):
        series_id = row.forecast.series_id
        told = _told(row, uses.get(series_id), off_by.get(series_id), owners)
        if not number:
            yield [*told]
        yield [*told.values()]
    if not rows:
        yield ["queue"]


def _told(row: Row, use: Use | None, off_by: OffBy | None, owners: Callable[[Forecast], str]) -> dict[str, object]:
    forecast, peak = row.forecast, row.peak
    return {
        "queue": forecast.queue,
        "cluster": named_cluster(forecast.cluster) or forecast.cluster,
        "project": forecast.project,
        "target": forecast.metric,
        "where": forecast.where,
        "unit": forecast.unit.value if forecast.unit else None,
        "used": use.value if use else None,
        "used_at": use.at.isoformat() if use else None,
        "guaranteed": forecast.guaranteed,
        "maximum": forecast.maximum,
        "peak": peak.prediction if peak else None,
        "peak_lower_bound": peak.lower_bound if peak else None,
        "peak_upper_bound": peak.upper_bound if peak else None,
        "peak_at": peak.timestamp.isoformat() if peak and peak.timestamp else None,
        "risk": risk_words(row),
        "risk_from": first.isoformat() if (first := risk_from(row)) else None,
        "usually_off_by": off_by.value if off_by else None,
        "owners": owners(forecast),
        "model": forecast.model,
        "job": forecast.job,
        "issued_at": forecast.issued_at.isoformat(),
        "ends_at": forecast.end_at.isoformat(),
        "last_failure": row.failure.reason if row.failure else None,
    }


def risk_words(row: Row) -> str:
    """What may come, as the list says it: `likely at limit`."""
    if row.is_over:
        return "forecast is over"
    first = row.mark or row.beyond
    if first is None:
        return "none"
    level = row.mark.level if row.mark else None
    what = "beyond share" if level is None else "at limit" if level >= 100 else f"above {level:g} %"
    return f"{'likely' if first.is_likely else 'possible'} {what}"


def risk_from(row: Row) -> datetime | None:
    """From when on; None = nothing may."""
    first = row.mark.first if row.mark else row.beyond
    return first.first_at if first else None
