"""What the overview decides, apart from its page: which queues may be in trouble, when, how sure, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from api.schema.forms import Form
from shared.domain.choice import Ranking
from shared.domain.exceedance import Exceedance, above_part, beyond_share, limit_of, steps_over
from shared.domain.forecasts import Forecast
from shared.domain.peaks import Peak, next_peak
from shared.domain.reports import RunFailure
from shared.domain.units import shown_in

SHARE = "share"  # what is asked for where queues beyond their share are wanted, whatever their limit
STALE_AFTER = timedelta(days=1)  # a forecast this old says little of the next hours, though it may reach further


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The highest part of its limit that a queue may still pass, and in which steps."""

    level: float  # per cent of the limit that hurts; from 100 on the limit itself
    steps: Exceedance


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One queue on the overview: its newest forecast, and of the steps still ahead the next peak and what they may pass."""

    forecast: Forecast
    peak: Peak | None  # of the next 24 hours; None = the forecast is over
    mark: Mark | None
    likely_mark: Mark | None  # the highest that the prediction itself passes, where that of `mark` is only possible
    share: Exceedance | None  # where it is beyond its share, and its limit is a higher one
    is_stale: bool
    failure: RunFailure | None = None  # of a later run, which has left this forecast the last good one

    def is_likely_at(self, level: float) -> bool:
        """Whether the prediction itself passes this part of the limit, or a higher one."""
        return any(mark.level >= level and mark.steps.is_likely for mark in (self.mark, self.likely_mark) if mark)


class OverviewQuery(Form):
    """What the address of the overview asks for; everything has a default."""

    q: str = Field("", max_length=250, description="part of a queue's name")
    level: float | Literal["share"] | None = Field(
        None, description="only queues that may pass so much of their limit, or their share"
    )
    model: str = Field("", max_length=250)
    job: str = Field("", max_length=250)
    sort: Literal["risk", "queue", "peak", "hour", "model", "mape", "skill", "age"] = "risk"
    reverse: bool = False
    page: int = Field(1, ge=1, le=10_000)


def row_of(forecast: Forecast, levels: Sequence[float], now: datetime, failure: RunFailure | None = None) -> Row:
    """How a forecast stands at `now`; steps that are over do not count any more.

    Args:
        levels: per cent of a queue's limit.
    """
    is_over = steps_over(forecast, now) == forecast.horizon_steps
    share = beyond_share(forecast, now) if forecast.maximum is not None else None
    marks = _marks(forecast, levels, now)
    mark, likely = next(iter(marks), None), next((mark for mark in marks if mark.steps.is_likely), None)
    return Row(
        forecast=forecast,
        peak=None if is_over else next_peak(forecast, now),
        mark=mark,
        likely_mark=None if likely is mark else likely,
        share=share if share and share.is_possible else None,
        is_stale=is_over or now - forecast.issued_at > STALE_AFTER,
        failure=failure,
    )


def _marks(forecast: Forecast, levels: Sequence[float], now: datetime) -> list[Mark]:
    """Every part of its limit that the queue may pass, the highest first."""
    found = ((level, above_part(forecast, now, level)) for level in sorted(levels, reverse=True))
    return [Mark(level=level, steps=steps) for level, steps in found if steps and steps.is_possible]


def one_of_each(rows: Sequence[Row], job: str) -> list[Row]:
    """A row for each series, also where jobs of several names forecast it: the newest that tells of what is ahead.

    Args:
        job: whose rows alone are wanted; "" = of all.
    """
    if job:
        return [row for row in rows if row.forecast.job == job]
    newest: dict[str, Row] = {}
    for row in sorted(rows, key=lambda each: (each.peak is not None, each.forecast.issued_at, each.forecast.created_at)):
        newest[row.forecast.series_id] = row
    return [row for row in rows if newest[row.forecast.series_id] is row]


def matching(rows: Iterable[Row], query: OverviewQuery) -> list[Row]:
    """The rows that are asked for, in the order asked for; rows that lack what is sorted by come last."""
    matches = sorted((row for row in rows if _matches(row, query)), key=lambda row: row.forecast.queue)
    key = SORTS[query.sort]
    known = [row for row in matches if key(row) is not None]
    known.sort(key=key, reverse=(query.sort in DESCENDING) != query.reverse)
    return known + [row for row in matches if key(row) is None]


def _matches(row: Row, query: OverviewQuery) -> bool:
    forecast = row.forecast
    return (
        query.q.strip().lower() in forecast.queue.lower()
        and query.model in {"", forecast.model}
        and query.job in {"", forecast.job}
        and _may_pass(row, query.level)
    )


def _may_pass(row: Row, level: float | str | None) -> bool:
    if level is None or level == SHARE:
        return level is None or row.share is not None
    return row.mark is not None and row.mark.level >= float(level)


def _risk(row: Row) -> tuple[float, bool, bool, float]:
    """Higher parts of the limit first, likely before possible, then who is beyond its share, then by how near the bound comes."""
    limit = limit_of(row.forecast)
    reach = row.peak.upper_bound / limit if row.peak and limit else 0.0
    level, is_likely = (row.mark.level, row.mark.steps.is_likely) if row.mark else (0.0, False)
    return level, is_likely, row.share is not None, reach


SORTS: dict[str, Callable[[Row], Any]] = {
    "risk": _risk,
    "queue": lambda row: row.forecast.queue,
    "peak": lambda row: row.peak and row.peak.prediction * shown_in(row.forecast.unit).factor,
    "hour": lambda row: row.peak and row.peak.timestamp,
    "model": lambda row: row.forecast.model,
    "mape": lambda row: row.forecast.wape if row.forecast.ranked_by is Ranking.WAPE else row.forecast.mape,
    "skill": lambda row: row.forecast.skill,
    "age": lambda row: row.forecast.issued_at,
}
DESCENDING = {"risk", "peak", "skill", "age"}  # largest first; of the others the smallest
