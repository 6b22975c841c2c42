"""What is kept and shown of a queue: how good its data were, who won and why, what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from shared.domain.forecasts import Candidate, Forecast, Outcome
from shared.domain.jobs import QueueState
from shared.domain.losses import Loss
from shared.domain.samples import Aggregation
from shared.domain.timegrid import step_start
from shared.domain.units import Unit

FULL = 100.0  # per cent: above that a queue borrows what others leave idle, or its work waits


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """What was wrong with a queue's data and what was done about it. Counts are of raw rows unless said otherwise."""

    rows: int = 0
    steps: int = 0  # whole steps after resampling
    duplicates: int = 0
    non_finite: int = 0
    filled_steps: int = 0
    filled_share: float = 0.0  # 0–1
    longest_gap_steps: int = 0
    start_at: datetime | None = None
    end_at: datetime | None = None  # end of the last whole step
    dropped_columns: Mapping[str, str] = field(default_factory=dict)  # column → why
    notes: tuple[str, ...] = ()  # one line per step of the preparation that changed something
    warnings: tuple[str, ...] = ()  # what a person should know before trusting the forecast
    losses: tuple[Loss, ...] = ()  # what was left out and should not have been there


class ReportedScore(StrEnum):
    """Which score of the winner is shown; the texts are those that are stored and that HTTP answers."""

    SELECTED_ON = "selected on"  # that of the windows by which it was chosen
    KEPT_APART = "kept apart: the shown score is that of the newest window, which took no part in the choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReport:
    """All that is known of one queue of one job: its state, data quality, leaderboard and winner."""

    job_id: str
    queue: str
    state: QueueState
    reason: str | None = None  # why it has no forecast
    quality: QualityReport | None = None
    outcomes: tuple[Outcome, ...] = ()  # the leaderboard: best first, failures last
    winner: Candidate | None = None
    explanation: str | None = None  # one sentence: why the winner won, or why the reference forecast was taken
    selected_on: ReportedScore = ReportedScore.SELECTED_ON
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """The steps of a forecast (their starts) above a level: likely where the prediction is, possible where only its bound is."""

    level: float
    likely: tuple[datetime, ...]
    possible: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A forecast as it was issued, without its steps; key = (series, job, issued_at, job_id)."""

    queue: str
    metric: str
    project: str
    cluster: str
    job: str
    job_id: str
    issued_at: datetime
    created_at: datetime
    step_seconds: int
    aggregation: Aggregation
    horizon_steps: int
    model: str
    mape: float | None
    skill: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOutlook(Issue):
    """What a queue owner sees first: the latest forecast of one series and job."""

    peak_at: datetime
    peak: float
    peak_lower_bound: float
    peak_upper_bound: float
    above_100_at: datetime | None  # the first step that is likely or possibly above 100 %; None also where that means nothing
    likely_above_100: int  # steps
    possible_above_100: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One step of a series: its start (UTC) and its value; None = gap."""

    timestamp: datetime
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actual:
    """What was read of one step of a series; key = (series_id, timestamp)."""

    series_id: str
    timestamp: datetime
    value: float


def above(forecast: Forecast, level: float) -> Above:
    """Where a forecast is above a level."""
    starts = partial(step_start, forecast.issued_at, step_seconds=forecast.step_seconds)
    steps = list(enumerate(zip(forecast.prediction, forecast.upper_bound, strict=True), start=1))
    return Above(
        level=level,
        likely=tuple(starts(step) for step, (prediction, _) in steps if prediction > level),
        possible=tuple(starts(step) for step, (prediction, upper) in steps if prediction <= level < upper),
    )


def above_full(forecast: Forecast) -> Above | None:
    """Where a forecast is above 100 %; None when its metric is no percentage."""
    return above(forecast, FULL) if forecast.unit is Unit.PERCENT else None


def issue(forecast: Forecast) -> Issue:
    """The forecast without its steps."""
    return Issue(**_without_steps(forecast))


def outlook(forecast: Forecast) -> QueueOutlook:
    """What a queue's owner sees first of a forecast."""
    peak, full = forecast.peak_step - 1, above_full(forecast)
    return QueueOutlook(
        **_without_steps(forecast),
        peak_at=step_start(forecast.issued_at, peak + 1, forecast.step_seconds),
        peak=forecast.prediction[peak],
        peak_lower_bound=forecast.lower_bound[peak],
        peak_upper_bound=forecast.upper_bound[peak],
        above_100_at=min((*full.likely, *full.possible), default=None) if full else None,
        likely_above_100=len(full.likely) if full else 0,
        possible_above_100=len(full.possible) if full else 0,
    )


def _without_steps(forecast: Forecast) -> dict[str, Any]:
    return {own.name: getattr(forecast, own.name) for own in fields(Issue)}
