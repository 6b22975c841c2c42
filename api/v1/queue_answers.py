"""One queue of a job as callers read it: its leaderboard, its forecast, and what its data were like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from api.schema.answers import Answer, ForecastTold
from api.schema.queries import PathsChoice
from shared.domain.choice import Ranking
from shared.domain.distribution import Quantiles
from shared.domain.forecasts import Candidate, Failure, Forecast, Measures, Outcome
from shared.domain.jobs import Hyperparameter, QueueState
from shared.domain.reports import QualityReport, QueueReport


class WindowScore(Answer):
    """A candidate on one backtest window."""

    origin_at: datetime
    measures: Measures


class Standing(Answer):
    """One candidate on the leaderboard: a score, or the reason why there is none."""

    rank: int | None = Field(description="1 = best; null = it failed")
    model: str
    hyperparameters: Mapping[str, Hyperparameter]
    kind: Literal["score", "failure"]
    measures: Measures | None = Field(None, description="over all scored steps of all windows")
    windows: tuple[WindowScore, ...] = ()
    error: str | None = None
    reason: str | None = None
    seconds: float = Field(description="CPU seconds")

    @classmethod
    def of(cls, place: int, outcome: Outcome) -> Self:
        """How the candidate stands that is at `place` (1, 2, …) of the leaderboard."""
        common = {**asdict(outcome.candidate), "kind": outcome.kind, "seconds": outcome.seconds}
        if isinstance(outcome, Failure):
            return cls(rank=None, error=outcome.error, reason=outcome.reason, **common)
        windows = tuple(WindowScore.showing(window) for window in outcome.windows)
        return cls(rank=place, measures=outcome.measures, windows=windows, **common)


def standings(report: QueueReport) -> list[Standing]:
    """The leaderboard: every candidate, best first, failures last."""
    return [Standing.of(place, outcome) for place, outcome in enumerate(report.outcomes, start=1)]


class ForecastStep(Answer):
    """One step of a forecast."""

    step: int
    timestamp: datetime = Field(description="start of the step")
    prediction: float
    lower_bound: float
    upper_bound: float


class ForecastAnswer(ForecastTold):
    """A forecast as it was delivered; its limits are those that the queue has now, where the cluster's tree says them."""

    created_at: datetime
    hyperparameters: Mapping[str, Hyperparameter]
    mape: float | None
    wape: float | None = Field(description="of the same windows; null for forecasts of earlier releases")
    skill: float | None
    ranked_by: Ranking = Field(description="what the winner was chosen by; wape where more than half of the steps are near zero")
    quantiles: Quantiles = Field(description="of each step; empty for forecasts of earlier releases")
    components: Mapping[str, tuple[float, ...]] = Field(
        description="what it is made of: level, shift, day, week, regressors, occasions, remainder, one value for each step, in "
        "the unit of the forecast; they add up to the prediction; those that say nothing are left out; empty for earlier releases"
    )
    steps: list[ForecastStep]


class QueueAnswer(Answer):
    """All that is known of one queue of one job."""

    job_id: str
    queue: str
    state: QueueState
    reason: str | None
    quality: QualityReport | None = Field(description="what was wrong with the data and what was done about it")
    leaderboard: list[Standing] = Field(description="every candidate, best first, failures last")
    winner: Candidate | None
    explanation: str | None = Field(description="why the winner won")
    ranked_by: Ranking = Field(description="what the leaderboard is ordered by")
    selected_on: str = Field(description="how honest the scores are")
    seconds: float
    forecast: ForecastAnswer | None

    @classmethod
    def of(cls, report: QueueReport, forecast: Forecast | None, now: datetime, asked: PathsChoice) -> Self:
        """The report and the forecast it led to."""
        answer = _forecast_answer(forecast, now, asked) if forecast else None
        return cls.showing(report, leaderboard=standings(report), forecast=answer)


def _forecast_answer(forecast: Forecast, now: datetime, asked: PathsChoice) -> ForecastAnswer:
    parts = forecast.components.of(forecast.prediction)
    return ForecastAnswer.telling(forecast, now, asked, steps=_steps(forecast), components=parts)


def _steps(forecast: Forecast) -> list[ForecastStep]:
    columns = (forecast.timestamps, forecast.prediction, forecast.lower_bound, forecast.upper_bound)
    rows = enumerate(zip(*columns, strict=True), start=1)
    return [ForecastStep(step=n, timestamp=at, prediction=p, lower_bound=low, upper_bound=up) for n, (at, p, low, up) in rows]
