"""What the overview decides, apart from its page: which queues may be in trouble, when, how sure, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from api.schema.forms import Form
from shared.domain.forecasts import Forecast
from shared.domain.reports import Above, above
from shared.domain.timegrid import step_start
from shared.domain.units import Unit

LIKELY, POSSIBLE = "likely", "possible"
STALE_AFTER = timedelta(days=1)  # a forecast this old says little of the next hours, though it may reach further


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The highest level that a forecast may still cross: likely where the prediction does, possible where only its bound does."""

    level: float  # per cent
    certainty: str
    first_at: datetime
    hours: float  # how long it is above that level, at this certainty

    @property
    def is_likely(self) -> bool:
        """Whether the prediction itself is above the level."""
        return self.certainty == LIKELY


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One queue on the overview: its newest forecast, and of its steps still ahead the peak and what it may cross."""

    forecast: Forecast
    ends_at: datetime
    peak_step: int | None  # 1, 2, …; None = the forecast is over
    mark: Mark | None
    is_stale: bool

    @property
    def peak_at(self) -> datetime | None:
        """Start of the step with the highest prediction ahead."""
        return step_start(self.forecast.issued_at, self.peak_step, self.forecast.step_seconds) if self.peak_step else None

    def at_peak(self, values: Sequence[float]) -> float | None:
        """The value of that step, of the forecast's prediction or one of its bounds."""
        return values[self.peak_step - 1] if self.peak_step else None


class OverviewQuery(Form):
    """What the address of the overview asks for; everything has a default."""

    q: str = Field("", max_length=250, description="part of a queue's name")
    level: float | None = Field(None, description="only queues that may cross it")
    model: str = Field("", max_length=250)
    job: str = Field("", max_length=250)
    sort: Literal["risk", "queue", "peak", "hour", "model", "mape", "skill", "age"] = "risk"
    reverse: bool = False
    page: int = Field(1, ge=1, le=10_000)


def row_of(forecast: Forecast, levels: Sequence[float], now: datetime) -> Row:
    """How a forecast stands at `now`; steps that are over do not count any more."""
    ends_at = step_start(forecast.issued_at, forecast.horizon_steps + 1, forecast.step_seconds)
    over = min(forecast.horizon_steps, max(0, int((now - forecast.issued_at).total_seconds()) // forecast.step_seconds))
    ahead = range(over, forecast.horizon_steps)
    return Row(
        forecast=forecast,
        ends_at=ends_at,
        peak_step=1 + max(ahead, key=forecast.prediction.__getitem__) if ahead else None,
        mark=_mark(forecast, levels, step_start(forecast.issued_at, over + 1, forecast.step_seconds)) if ahead else None,
        is_stale=not ahead or now - forecast.issued_at > STALE_AFTER,
    )


def _mark(forecast: Forecast, levels: Sequence[float], since: datetime) -> Mark | None:
    if forecast.unit is not Unit.PERCENT:
        return None
    for level in sorted(levels, reverse=True):
        if max(forecast.upper_bound) <= level:
            continue
        crossed: Above = above(forecast, level)
        for certainty, starts in ((LIKELY, crossed.likely), (POSSIBLE, crossed.possible)):
            ahead = [at for at in starts if at >= since]
            if ahead:
                hours = len(ahead) * forecast.step_seconds / 3_600
                return Mark(level=level, certainty=certainty, first_at=ahead[0], hours=hours)
    return None


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
        and (query.level is None or (row.mark is not None and row.mark.level >= query.level))
    )


def _risk(row: Row) -> tuple[float, bool, float]:
    """Higher levels first, likely before possible, then by how high the bound reaches."""
    reach = row.at_peak(row.forecast.upper_bound) or 0.0
    return (row.mark.level, row.mark.is_likely, reach) if row.mark else (0.0, False, reach)


SORTS: dict[str, Callable[[Row], Any]] = {
    "risk": _risk,
    "queue": lambda row: row.forecast.queue,
    "peak": lambda row: row.at_peak(row.forecast.prediction),
    "hour": lambda row: row.peak_at,
    "model": lambda row: row.forecast.model,
    "mape": lambda row: row.forecast.mape,
    "skill": lambda row: row.forecast.skill,
    "age": lambda row: row.forecast.issued_at,
}
DESCENDING = {"risk", "peak", "skill", "age"}  # largest first; of the others the smallest
