"""What is kept and shown of a queue: how good its data were, who won and why, what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.forecasts import Candidate, Outcome
from shared.jobs import QueueState


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


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReport:
    """All that is known of one queue of one job: its state, data quality, leaderboard and winner."""

    job_id: str
    queue: str
    state: QueueState
    reason: str | None = None  # why it failed
    quality: QualityReport | None = None
    outcomes: tuple[Outcome, ...] = ()  # the leaderboard: best first, failures last
    winner: Candidate | None = None
    explanation: str | None = None  # one sentence: why the winner won, or why the floor was taken
    selected_on: str = "selected on"  # the shown score is the one used to pick
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOutlook:
    """What a queue owner sees first: the latest forecast of one (queue, metric, job)."""

    queue: str
    metric: str
    job: str
    job_id: str
    issued_at: datetime
    created_at: datetime
    step_seconds: int
    horizon_steps: int
    model: str
    mape: float | None
    skill: float | None
    peak_at: datetime
    peak: float
    peak_upper_bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One step of a series: its start (UTC) and its value; None = gap."""

    timestamp: datetime
    value: float | None
