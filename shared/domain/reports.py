"""What is kept and shown of a queue: how good its data were, who won and why, what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.domain.choice import Ranking
from shared.domain.exceedance import Exceedance, above_full, beyond_share, limit_of, over_limit
from shared.domain.forecasts import Candidate, Forecast, Outcome
from shared.domain.jobs import QueueState
from shared.domain.losses import Loss
from shared.domain.peaks import next_peak
from shared.domain.samples import Aggregation
from shared.domain.series_kind import SeriesKind
from shared.domain.units import Unit


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
    kind: SeriesKind | None = None  # None = too short to tell, or of an earlier release
    dropped_columns: Mapping[str, str] = field(default_factory=dict)  # column → why
    notes: tuple[str, ...] = ()  # one line per step of the preparation that changed something
    warnings: tuple[str, ...] = ()  # what a person should know before trusting the forecast
    losses: tuple[Loss, ...] = ()  # what was left out and should not have been there


class ReportedScore(StrEnum):
    """Which score of the winner is shown; the texts are those that are stored and that HTTP answers."""

    SELECTED_ON = "selected on"  # that of the windows by which it was chosen
    MEDIAN_WINDOW = "median window: the shown WAPE is that of the window in the middle, the MAPE that of the choice"
    # Of earlier releases.
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
    explanation: str | None = None  # one sentence: why the winner won
    selected_on: ReportedScore = ReportedScore.SELECTED_ON
    ranked_by: Ranking = Ranking.MAPE  # what the leaderboard is ordered by
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A forecast as it was issued, without its steps; key = (series, job, issued_at, job_id)."""

    queue: str
    metric: str
    project: str
    cluster: str
    where: str
    job: str
    job_id: str
    issued_at: datetime
    created_at: datetime
    end_at: datetime  # end of the last step
    step_seconds: int
    day_timezone: str  # as in Series
    aggregation: Aggregation
    horizon_steps: int
    model: str
    mape: float | None
    wape: float | None
    skill: float | None
    ranked_by: Ranking  # which of the two, or of others, says how good it is
    searched_at: datetime | None  # of which search its winner and scores are, by issue time; None = of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailure:
    """Why the newest run of jobs of this name brought a series no forecast; key = (series_id, job)."""

    series_id: str
    job: str  # job_name
    job_id: str
    at: datetime  # when it ended
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOutlook(Issue):
    """What a queue owner sees first: the latest forecast of one series and job."""

    unit: Unit | None
    guaranteed: float | None
    maximum: float | None
    limit: float | None  # the one that hurts: the maximum, else what is guaranteed
    peak_at: datetime | None  # of the next 24 hours; None = a flat line
    peak: float
    peak_lower_bound: float  # of that step
    peak_upper_bound: float
    above_100_at: datetime | None  # the first step ahead that is likely or possibly above 100 %
    likely_above_100: int | None  # steps ahead; None = that means nothing, or is not known
    possible_above_100: int | None
    over_limit_at: datetime | None  # the same for the limit that hurts, at which a step counts too
    likely_over_limit: int | None
    possible_over_limit: int | None
    beyond_share_at: datetime | None  # and for what is guaranteed
    likely_beyond_share: int | None
    possible_beyond_share: int | None
    last_failure: RunFailure | None  # of a later run, which has left this forecast as it is
    gone: str | None = None  # why its cluster does not have the queue any more; None = it has, or nobody knows


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


def issue(forecast: Forecast) -> Issue:
    """The forecast without its steps."""
    return Issue(**_without_steps(forecast))


def outlook(forecast: Forecast, now: datetime, last_failure: RunFailure | None = None, gone: str | None = None) -> QueueOutlook:
    """What a queue's owner sees first of a forecast, as things stand at `now`."""
    peak = next_peak(forecast, now)
    return QueueOutlook(
        **_without_steps(forecast),
        unit=forecast.unit,
        guaranteed=forecast.guaranteed,
        maximum=forecast.maximum,
        limit=limit_of(forecast),
        peak_at=peak.timestamp,
        peak=peak.prediction,
        peak_lower_bound=peak.lower_bound,
        peak_upper_bound=peak.upper_bound,
        **_counted("above_100", above_full(forecast, now)),
        **_counted("over_limit", over_limit(forecast, now)),
        **_counted("beyond_share", beyond_share(forecast, now)),
        last_failure=last_failure,
        gone=gone,
    )


def _counted(name: str, found: Exceedance | None) -> dict[str, Any]:
    """The fields of an outlook for one limit."""
    return {
        f"{name}_at": found.first_at if found else None,
        f"likely_{name}": len(found.likely) if found else None,
        f"possible_{name}": len(found.possible) if found else None,
    }


def _without_steps(forecast: Forecast) -> dict[str, Any]:
    return {own.name: getattr(forecast, own.name) for own in fields(Issue)}
