"""What the overview decides, apart from its page: which queues may be in trouble, when, how sure, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from api.schema.forms import Form
from shared.domain.choice import Ranking
from shared.domain.exceedance import Ahead, Exceedance, First, above_part, beyond_share, limit_of
from shared.domain.forecasts import Forecast
from shared.domain.peaks import Peak, next_peak
from shared.domain.reports import RunFailure
from shared.domain.series import MAX_TEXT
from shared.domain.units import shown_in

SHARE = "share"  # what is asked for where queues beyond their share are wanted, whatever their limit
STALE_AFTER = timedelta(days=1)  # a forecast this old says little of the next hours, though it may reach further


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The highest part of its limit that a queue may still pass: from when on, and whether the prediction does."""

    level: float  # per cent of the limit that hurts; from 100 on the limit itself
    first: First
    of: tuple[Forecast, datetime]  # the forecast and now

    @property
    def is_likely(self) -> bool:
        """Whether the prediction itself passes it."""
        return self.first.is_likely

    @cached_property
    def steps(self) -> Exceedance | None:
        """All steps that do: computed for the few rows that tell of them."""
        return above_part(*self.of, self.level)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One queue on the overview: its newest forecast, and of the steps still ahead what they may pass.

    Of hundreds of queues one page is shown: what a row tells beside what all are sorted and counted by is computed when it is
    asked for.
    """

    forecast: Forecast
    now: datetime
    highest: float  # of all bounds still ahead, in the forecast's unit
    is_over: bool
    mark: Mark | None
    likely_mark: Mark | None  # the highest that the prediction itself passes, where that of `mark` is only possible
    beyond: First | None  # its share, where its limit is a higher one
    failure: RunFailure | None = None  # of a later run, which has left this forecast the last good one

    @cached_property
    def peak(self) -> Peak | None:
        """Of the next 24 hours; None = the forecast is over."""
        return None if self.is_over else next_peak(self.forecast, self.now)

    @cached_property
    def share(self) -> Exceedance | None:
        """The steps beyond its share, where its limit is a higher one."""
        return beyond_share(self.forecast, self.now) if self.beyond else None

    @property
    def is_stale(self) -> bool:
        """Whether it is over, or says little of the next hours."""
        return self.is_over or self.now - self.forecast.issued_at > STALE_AFTER

    @property
    def key(self) -> tuple[str, str, str]:
        """Of its queue, which may have several rows, by its jobs and targets."""
        return self.forecast.project, self.forecast.cluster, self.forecast.queue

    def is_likely_at(self, level: float) -> bool:
        """Whether the prediction itself passes this part of the limit, or a higher one."""
        return any(mark.level >= level and mark.is_likely for mark in (self.mark, self.likely_mark) if mark)


class OverviewQuery(Form):
    """What the address of the overview asks for; everything has a default."""

    q: str = Field("", max_length=250, description="part of a queue's name")
    level: float | Literal["share"] | None = Field(
        None, description="only queues that may pass so much of their limit, or their share"
    )
    state: Literal["", "over", "stale", "failed"] = Field(
        "", description="only queues whose forecast is over, old, or not renewed"
    )
    cluster: str | None = Field(None, max_length=MAX_TEXT)
    project: str | None = Field(None, max_length=250, description="empty: forecasts of no project")
    target: str = Field("", max_length=250)
    model: str = Field("", max_length=250)
    job: str = Field("", max_length=250)
    view: Literal["flat", "tree"] = Field("flat", description="tree: each queue below its parents, by the dots in its name")
    sort: Literal["risk", "queue", "peak", "hour", "model", "mape", "skill", "age"] = "risk"
    reverse: bool = False
    page: int = Field(1, ge=1, le=10_000)

    @property
    def is_filtered(self) -> bool:
        """Whether only some queues are asked for."""
        given = self.model_dump(exclude_defaults=True)
        return not given.keys() <= {"view", "sort", "reverse", "page"}


def row_of(forecast: Forecast, levels: Sequence[float], now: datetime, failure: RunFailure | None = None) -> Row:
    """How a forecast stands at `now`; steps that are over do not count any more.

    Args:
        levels: per cent of a queue's limit.
    """
    ahead = Ahead(forecast, now)
    found = ((level, ahead.above_part(level)) for level in sorted(levels, reverse=True))
    marks = [Mark(level=level, first=first, of=(forecast, now)) for level, first in found if first]
    mark, likely = next(iter(marks), None), next((mark for mark in marks if mark.is_likely), None)
    return Row(
        forecast=forecast,
        now=now,
        highest=ahead.highest,
        is_over=ahead.is_over,
        mark=mark,
        likely_mark=None if likely is mark else likely,
        beyond=ahead.beyond_share() if forecast.maximum is not None else None,
        failure=failure,
    )


def one_of_each(rows: Sequence[Row], job: str) -> list[Row]:
    """A row for each series, also where jobs of several names forecast it: the newest that tells of what is ahead.

    Args:
        job: whose rows alone are wanted; "" = of all.
    """
    if job:
        return [row for row in rows if row.forecast.job == job]
    newest: dict[str, Row] = {}
    for row in sorted(rows, key=lambda each: (not each.is_over, each.forecast.issued_at, each.forecast.created_at)):
        newest[row.forecast.series_id] = row
    kept = {id(row) for row in newest.values()}
    return [row for row in rows if id(row) in kept]


def matching(rows: Iterable[Row], query: OverviewQuery) -> list[Row]:
    """The rows that are asked for, in the order asked for; rows that lack what is sorted by come last."""
    matches = sorted((row for row in rows if is_asked_for(row, query)), key=lambda row: row.forecast.queue)
    key = SORTS[query.sort]
    known = [row for row in matches if key(row) is not None]
    known.sort(key=key, reverse=(query.sort in DESCENDING) != query.reverse)
    return known + [row for row in matches if key(row) is None]


def is_asked_for(row: Row, query: OverviewQuery) -> bool:
    """Whether the row is one of those that a query asks for."""
    forecast = row.forecast
    return (
        query.q.strip().lower() in forecast.queue.lower()
        and query.model in {"", forecast.model}
        and query.job in {"", forecast.job}
        and query.target in {"", forecast.metric}
        and query.cluster in {None, forecast.cluster}
        and query.project in {None, forecast.project}
        and (not query.state or STATES[query.state](row))
        and may_pass(row, query.level)
    )


STATES: dict[str, Callable[[Row], bool]] = {
    "over": lambda row: row.is_over,
    "stale": lambda row: row.is_stale,
    "failed": lambda row: row.failure is not None,
}


def may_pass(row: Row, level: float | str | None) -> bool:
    """Whether it may pass so many per cent of its limit, or SHARE; None = nothing is asked."""
    if level is None or level == SHARE:
        return level is None or row.beyond is not None
    return row.mark is not None and row.mark.level >= float(level)


def risk_of(row: Row) -> tuple[float, bool, int, float]:
    """Higher parts of the limit first, then beyond the share, each likely before possible; then by how near the bound comes."""
    limit = limit_of(row.forecast)
    reach = row.highest / limit if limit and not row.is_over else 0.0
    level, is_likely = (row.mark.level, row.mark.is_likely) if row.mark else (0.0, False)
    return level, is_likely, 1 + row.beyond.is_likely if row.beyond else 0, reach


SORTS: dict[str, Callable[[Row], Any]] = {
    "risk": risk_of,
    "queue": lambda row: row.forecast.queue,
    "peak": lambda row: row.peak and row.peak.prediction * shown_in(row.forecast.unit).factor,
    "hour": lambda row: row.peak and row.peak.timestamp,
    "model": lambda row: row.forecast.model,
    "mape": lambda row: row.forecast.wape if row.forecast.ranked_by is Ranking.WAPE else row.forecast.mape,
    "skill": lambda row: row.forecast.skill,
    "age": lambda row: row.forecast.issued_at,
}
DESCENDING = {"risk", "peak", "skill", "age"}  # largest first; of the others the smallest
