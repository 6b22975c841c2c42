"""The response models of /v1; values of shared/domain that callers may see whole are part of them as they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from api.schema.queries import PathsChoice
from shared.domain.basis import Basis
from shared.domain.distribution import Quantiles
from shared.domain.exceedance import Exceedance, above_full, beyond_share, limit_of, over_limit
from shared.domain.forecasts import Candidate, Forecast
from shared.domain.jobs import Job, JobRequest, JobState, Progress, QueueState
from shared.domain.model_cards import ModelCard
from shared.domain.outlook import Breach, breaches, levels_told
from shared.domain.peaks import Peak, daily_peaks
from shared.domain.relative import Relative, relative_of
from shared.domain.reports import QueueOutlook
from shared.domain.runs import Run
from shared.domain.samples import Aggregation
from shared.domain.units import Unit
from shared.domain.validation import Validation


class Answer(BaseModel):
    """What a call answers. Times are UTC."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def showing(cls, value: object, **more: object) -> Self:
        """An answer from the attributes of `value` that have our fields' names; `more` adds to them or replaces them."""
        attributes = {name: getattr(value, name) for name in cls.model_fields if name not in more and hasattr(value, name)}
        return cls.model_validate(attributes | more)


class AboutJob(Answer):
    """What is said of a job, of it itself and of its request."""

    @classmethod
    def of(cls, job: Job, links: Mapping[str, str] | None = None, **more: object) -> Self:
        """What is said of this job, with more links and fields of the answer."""
        names = {name: getattr(job.request, name) for name in ("job_name", "user_name", "project", "owner")}
        return cls.showing(job, **names, links={"self": job_path(job.job_id), **(links or {})}, **more)


class JobAccepted(AboutJob):
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
    def of(cls, verdict: Validation) -> Self:
        """What was found."""
        problems = [FoundProblem(loc=item.field.split(".") if item.field else [], msg=item.message) for item in verdict.problems]
        return cls(valid=verdict.is_valid, problems=problems, warnings=verdict.warnings)


class JobSummary(AboutJob):
    """One job in a list."""

    job_id: str
    job_name: str
    user_name: str
    project: str
    owner: str
    run: Run = Field(description="what it does: search (all candidates compete), refit (last winners), actuals (no forecast)")
    schedule_id: str | None = Field(description="of the schedule that made it; null: none did")
    state: JobState
    reason: str | None = Field(description="why it is not succeeded, when it has ended")
    progress: Progress
    warnings: tuple[str, ...]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    queued_at: datetime | None = Field(description="when it was last queued again by a retry")
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
    seconds: float = Field(description="of CPU time, all candidates and windows together; 0 = it has no forecast")
    links: dict[str, str] = Field(description="self: report, leaderboard and forecast")


class JobAnswer(JobSummary):
    """One job: the request, how far it is or how it ended, and its queues."""

    request: JobRequest
    schedule_name: str | None = Field(description="null: no schedule made it, or that is gone; else `links` has it, too")
    seconds_left: float | None = Field(description="at the pace so far; null = it cannot be told yet, or the job has ended")
    request_id: str | None = Field(description="of the call that started it; in every log line about it")
    queues: list[QueueOfJob]


class QueueList(Answer):
    """The newest forecast of every series and job."""

    queues: list[QueueOutlook]


STEPS = "; steps still ahead: likely where the prediction is, possible where only the upper bound is; null = "


class ForecastOverview(Answer):
    """What is said of a forecast beside its steps."""

    metric: str
    cluster: str = Field(description="as it is named; what has a colon in it is the place that is read, where nobody names one")
    where: str = Field(description="which rows of a cluster that is named, as in partition=gpu; empty = all of them")
    project: str
    job: str
    issued_at: datetime
    end_at: datetime = Field(description="end of the last step")
    step_seconds: int = Field(description="of days that clocks do not change")
    day_timezone: str = Field(description="in which steps of whole days begin at midnight; empty = all steps are of UTC")
    aggregation: Aggregation
    model: str
    searched_at: datetime | None = Field(
        description="issue time of the search that chose the winner and scored it, where it was fitted again; null = its own"
    )
    unit: Unit | None = Field(description="what the values are counted in; null = nobody knows, or two units fit")
    guaranteed: float | None = Field(
        description="what the queue has now, as its cluster's tree says it, else had when this was issued, in the unit of the "
        "values; null = not known"
    )
    maximum: float | None = Field(description="the most that it can get, likewise")
    limit: float | None = Field(description="the limit that hurts: the maximum, else what is guaranteed")
    peak: Peak = Field(description="the highest value of the next 24 hours with its bounds, and the step that is likely to be it")
    peaks: tuple[Peak, ...] = Field(description="the same for each day ahead")
    above_100: Exceedance | None = Field(description="above 100 %" + STEPS + "no percentages, or they may be fractions")
    over_limit: Exceedance | None = Field(description="at the limit that hurts, or above it" + STEPS + "no limit is known")
    beyond_share: Exceedance | None = Field(description="above what is guaranteed" + STEPS + "that is not known")
    relative: Relative | None = Field(
        description="in percent of what is guaranteed now: the peak of the next 24 hours, and by what any value is multiplied "
        "to be the same; null = values are relative already, or that is not known"
    )
    basis: Basis | None = Field(
        description="what was learned from: how many times the mean of a step its 95 % quantile is; the shares of its steps in "
        "which the queue was held back, and in which nobody knows how much more it wanted: of more than 0.2 the forecast says "
        "at least that; null = not known"
    )

    @classmethod
    def of(cls, forecast: Forecast, now: datetime, **more: object) -> Self:
        """The overview of the forecast as things stand at `now`, with more fields of the answer."""
        peaks = daily_peaks(forecast, now)
        told = {
            "above_100": above_full(forecast, now),
            "over_limit": over_limit(forecast, now),
            "beyond_share": beyond_share(forecast, now),
            "relative": relative_of(forecast, now),
        }
        return cls.showing(forecast, peak=peaks[0], peaks=peaks, limit=limit_of(forecast), **told, **more)


class ForecastTold(ForecastOverview):
    """The same with all that may come instead of its one value."""

    peak_quantiles: Quantiles = Field(description="of the highest value of each day from `issued_at` on")
    occasions: tuple[str, ...] = Field(description="kinds of the holidays and events that have an effect ahead")
    breaches: tuple[Breach, ...] = Field(description="how likely each limit and `level` is exceeded; empty = too little is known")
    paths: list[list[float]] | None = Field(description="where asked for: equally likely ways that all steps may go")

    @classmethod
    def telling(cls, forecast: Forecast, now: datetime, asked: PathsChoice, **more: object) -> Self:
        """Of a forecast that was read with its paths, as things stand at `now`."""
        levels = (*levels_told(forecast), *(() if asked.level is None else (asked.level,)))
        paths = forecast.paths.rows() if asked.paths and forecast.paths else None
        told = {"peak_quantiles": forecast.peaks, "occasions": forecast.components.kinds, "paths": paths}
        return cls.of(forecast, now, breaches=breaches(forecast, sorted(set(levels)), now), **told, **more)


class ModelList(Answer):
    """What the workers offer."""

    models: tuple[ModelCard, ...]
    note: str | None = Field(None, description="why there are none")


def job_path(job_id: str) -> str:
    """Where a job is shown."""
    return f"/v1/jobs/{quote(job_id)}"


def schedule_path(schedule_id: str) -> str:
    """Where a schedule is shown."""
    return f"/v1/schedules/{quote(schedule_id)}"
