"""Another forecast of the same series laid over the one that is shown: an earlier issue, or what a job of another name says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from api.dashboard.drawn import drawn
from api.edge.context import Services
from api.schema.queries import SeriesChoice
from api.v1.choice import chosen_forecast
from shared.domain.forecasts import Forecast
from shared.domain.reports import Issue
from shared.errors import InvalidRequest

MAX_ISSUES = 20  # that can be chosen, the newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A forecast that can be laid over."""

    job_id: str
    job: str
    model: str
    issued_at: datetime


def choices_of(services: Services, forecast: Forecast, issues: Iterable[Issue]) -> list[Choice]:
    """The newest of each job of another name, then the issues of its own, without the one that is shown."""
    same = {"metric": forecast.metric, "cluster": forecast.cluster}
    newest = services.store.forecasts.newest_of_each(forecast.queue, **same, projects=[forecast.project])
    others: list[Forecast | Issue] = [
        each for each in newest if each.series_id == forecast.series_id and each.job != forecast.job
    ]
    own = [issue for issue in issues if issue.queue == forecast.queue][: MAX_ISSUES + 1]
    by_job = {each.job_id: each for each in others + own if each.job_id != forecast.job_id}
    return [Choice(job_id=job_id, job=each.job, model=each.model, issued_at=each.issued_at) for job_id, each in by_job.items()]


def laid_over(services: Services, forecast: Forecast, job_id: str | None) -> tuple[Forecast | None, dict[str, str] | None]:
    """The forecast of this job, and the same as it is drawn; raises InvalidRequest where it is of another series."""
    if job_id is None:
        return None, None
    other = chosen_forecast(services, forecast.queue, SeriesChoice(job_id=job_id))
    if other.series_id != forecast.series_id:
        raise InvalidRequest("that job forecasts another series of this queue: other rows, steps or units", field="over")
    return other, {**drawn(other, is_newest=False), "model": other.model}
