"""Answers as callers read them; what shared/jobs.py and shared/forecasts.py already say is shown as it stands there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from shared.forecasts import Candidate, Failure, Forecast, Measures, ModelCard, Outcome
from shared.jobs import Hyperparameter, Job, JobRequest, JobState, Progress, QueueState, Validation
from shared.reports import QualityReport, QueueOutlook, QueueReport


class Answer(BaseModel):
    """What a call answers. Times are UTC."""

    model_config = ConfigDict(frozen=True)


class JobAccepted(Answer):
    """The job is stored and will be planned."""

    job_id: str
    state: JobState
    links: dict[str, str] = Field(description="self: how it went")
    warnings: tuple[str, ...] = Field(description="what to know before trusting the forecast")


class FoundProblem(Answer):
    """What stands in the job's way."""

    loc: list[str] = Field(description="field of the request, from the outside in; empty = the whole")
    msg: str


class ValidationAnswer(Answer):
    """Whether a job of this request would run."""

    valid: bool
    problems: list[FoundProblem] = Field(description="what stands in its way")
    warnings: tuple[str, ...] = Field(description="what to know before it runs")

    @classmethod
    def of(cls, found: Validation) -> Self:
        """What was found."""
        problems = [FoundProblem(loc=item.field.split(".") if item.field else [], msg=item.message) for item in found.problems]
        return cls(valid=found.is_valid, problems=problems, warnings=found.warnings)


class JobSummary(Answer):
    """One job in a list."""

    job_id: str
    job_name: str
    user_name: str
    project: str
    owner: str
    state: JobState
    reason: str | None = Field(description="why it is not succeeded, when it has ended")
    progress: Progress
    warnings: tuple[str, ...]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    issued_at: datetime | None = Field(description="start of the first forecast step; null until it is planned")
    deadline_at: datetime
    links: dict[str, str]


class JobPage(Answer):
    """Jobs, newest first."""

    jobs: list[JobSummary]
    next_cursor: str | None = Field(description="cursor of the next page; null = this is the last")


class QueueOfJob(Answer):
    """How one queue of a job went."""

    queue: str
    state: QueueState
    reason: str | None = Field(description="why it has no forecast")
    winner: Candidate | None
    links: dict[str, str] = Field(description="self: report, leaderboard and forecast")


class JobAnswer(JobSummary):
    """One job: the request, how far it is or how it ended, and its queues."""

    request: JobRequest
    request_id: str | None = Field(description="of the call that started it; in every log line about it")
    queues: list[QueueOfJob]


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
    windows: list[WindowScore] = []
    error: str | None = None
    reason: str | None = None
    seconds: float = Field(description="CPU seconds")

    @classmethod
    def of(cls, place: int, outcome: Outcome) -> Self:
        """How the candidate stands that is at `place` (1, 2, …) of the leaderboard."""
        told = {**asdict(outcome.candidate), "kind": outcome.kind, "seconds": outcome.seconds}
        if isinstance(outcome, Failure):
            return cls(rank=None, error=outcome.error, reason=outcome.reason, **told)
        windows = [WindowScore(origin_at=window.origin_at, measures=window.measures) for window in outcome.windows]
        return cls(rank=place, measures=outcome.measures, windows=windows, **told)


class ForecastStep(Answer):
    """One step of a forecast."""

    step: int
    timestamp: datetime = Field(description="start of the step")
    prediction: float
    lower_bound: float
    upper_bound: float


class ForecastAnswer(Answer):
    """A forecast as it was delivered."""

    issued_at: datetime
    created_at: datetime
    metric: str
    job: str
    step_seconds: int
    model: str
    hyperparameters: Mapping[str, Hyperparameter]
    mape: float | None
    skill: float | None
    steps: list[ForecastStep]

    @classmethod
    def of(cls, forecast: Forecast) -> Self:
        """The forecast, step by step."""
        columns = (forecast.timestamps, forecast.prediction, forecast.lower_bound, forecast.upper_bound)
        rows = enumerate(zip(*columns, strict=True), start=1)
        steps = [
            ForecastStep(step=n, timestamp=at, prediction=p, lower_bound=low, upper_bound=up) for n, (at, p, low, up) in rows
        ]
        return cls(**{name: getattr(forecast, name) for name in cls.model_fields if name != "steps"}, steps=steps)


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
    selected_on: str = Field(description="how honest the scores are")
    seconds: float
    forecast: ForecastAnswer | None

    @classmethod
    def of(cls, report: QueueReport, forecast: Forecast | None) -> Self:
        """The report and the forecast it led to."""
        shown = {name: getattr(report, name) for name in cls.model_fields if hasattr(report, name)}
        leaderboard = [Standing.of(place, outcome) for place, outcome in enumerate(report.outcomes, start=1)]
        return cls(**shown, leaderboard=leaderboard, forecast=ForecastAnswer.of(forecast) if forecast else None)


class QueueList(Answer):
    """The newest forecast of every queue, metric and job."""

    queues: list[QueueOutlook]


class SeriesPoint(Answer):
    """One step of a queue's series; null = not known."""

    timestamp: datetime = Field(description="start of the step")
    actual: float | None = None
    prediction: float | None = None
    lower_bound: float | None = None
    upper_bound: float | None = None


class Series(Answer):
    """Actual values and one forecast of a queue on one time axis, without holes from the first known step to the last."""

    queue: str
    metric: str
    job: str
    job_id: str
    issued_at: datetime
    step_seconds: int
    model: str
    points: list[SeriesPoint]


class ModelList(Answer):
    """What the workers offer."""

    models: tuple[ModelCard, ...]
    note: str | None = Field(None, description="why there are none")


class Alive(Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(Answer):
    """Every service answers."""

    status: Literal["ok"] = "ok"
    checks: dict[str, str] = Field(description="service → ok")


class Version(Answer):
    """What runs here."""

    name: str
    version: str


def job_path(job_id: str) -> str:
    """Where a job is shown."""
    return f"/v1/jobs/{quote(job_id)}"


def accepted(job: Job) -> JobAccepted:
    """The answer to a submitted job."""
    return JobAccepted(job_id=job.job_id, state=job.state, links={"self": job_path(job.job_id)}, warnings=job.warnings)


def summary(job: Job) -> JobSummary:
    """The job in a list."""
    return JobSummary(**_summary(job))


def detail(job: Job, queues: list[QueueOfJob]) -> JobAnswer:
    """The job with its queues."""
    return JobAnswer(**_summary(job), request=job.request, request_id=job.request_id, queues=queues)


def _summary(job: Job) -> dict[str, object]:
    told = {name: getattr(job, name) for name in JobSummary.model_fields if hasattr(job, name)}
    told |= {name: getattr(job.request, name) for name in ("job_name", "user_name", "project", "owner")}
    return told | {"links": {"self": job_path(job.job_id)}}
