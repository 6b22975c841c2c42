"""Accuracy of a queue's past forecasts by lead time, and the list of those forecasts."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import READ
from api.edge.routing import route
from api.schema.answers import Answer
from api.schema.queries import SeriesChoice
from api.v1.chances import Chances, PooledQuery, chances_of
from api.v1.choice import chosen_forecast
from api.v1.former import issues_of, series_ids
from shared.domain.accuracy import AccuracyFilter, ErrorSums, by_group, over_leads
from shared.domain.forecasts import Forecast
from shared.domain.reports import Issue


class AccuracyQuery(SeriesChoice, PooledQuery):
    """Which forecasts of a queue, by when they were issued."""


class IssuesQuery(SeriesChoice):
    """Which forecasts of a queue, and how many of them."""

    limit: int = Field(50, ge=1, le=200)


class Lead(Answer):
    """Steps equally far ahead, over all forecasts: what was predicted against what happened."""

    first_step: int
    last_step: int | None = Field(description="null = all that follow")
    forecasts: int
    steps: int = Field(description="with an actual value")
    mape: float | None = Field(description="percent")
    wape: float | None = Field(description="percent")
    mean_error: float | None = Field(description="mean of |prediction − actual|, in the unit of the forecast")
    naive_mean_error: float | None = Field(description="the same of the same hour of the day before the issue")
    bias: float | None = Field(description="mean of prediction minus actual: above 0 = too much was predicted")
    coverage: float | None = Field(description="percent of the actual values within bounds of the answer's `interval`")
    naive_wape: float | None = Field(description="of the same hour of the day before the issue")
    skill: float | None = Field(description="1 = perfect, 0 = no better than the same hour of the day before")

    @classmethod
    def of(cls, first_step: int, last: int | None, sums: ErrorSums) -> Self:
        """The lead with these sums."""
        return cls.showing(sums, first_step=first_step, last_step=last)


class AccuracyAnswer(Answer):
    """How good the forecasts of a queue have been that were issued in a time."""

    queue: str
    metric: str
    cluster: str
    project: str
    job: str
    interval: float | None = Field(description="level of the bounds that `coverage` speaks of: that of the newest forecast")
    from_at: datetime = Field(description="issued since then")
    to_at: datetime = Field(description="and before")
    overall: Lead | None = Field(description="null = nothing has been scored yet")
    leads: list[Lead]
    chances: Chances


class IssueList(Answer):
    """Forecasts as they were issued, newest first, without their steps."""

    forecasts: list[Issue]


@route("GET", "/v1/queues/<path:queue>/accuracy", READ, Answers(AccuracyAnswer, refuses=(409,)))
def show_accuracy(services: Services, queue: str, query: AccuracyQuery) -> AccuracyAnswer:
    """Show how good a queue's forecasts have been, by lead time.

    A forecast is scored as soon as a later job has read what happened.
    """
    return accuracy_answer(services, chosen_forecast(services, queue, query), *query.period())


@route("GET", "/v1/queues/<path:queue>/forecasts", READ, Answers(IssueList, refuses=(409,)))
def list_forecasts(services: Services, queue: str, query: IssuesQuery) -> IssueList:
    """List a queue's forecasts as they were issued, newest first."""
    return IssueList(forecasts=like_issues(services, chosen_forecast(services, queue, query), query.limit))


def accuracy_answer(services: Services, forecast: Forecast, from_at: datetime, to_at: datetime) -> AccuracyAnswer:
    """The accuracy of the forecasts that are like this one, issued in [from_at, to_at)."""
    issued = AccuracyFilter(since=from_at, until=to_at, job=forecast.job, interval=forecast.interval or None)
    series = series_ids(services, forecast)
    by_lead = services.store.accuracy.by_lead(series, issued)
    overall = over_leads(by_lead)
    return AccuracyAnswer(
        queue=forecast.queue,
        metric=forecast.metric,
        cluster=forecast.cluster,
        project=forecast.project,
        job=forecast.job,
        interval=forecast.interval or None,
        from_at=from_at,
        to_at=to_at,
        overall=Lead.of(1, None, overall) if overall else None,
        leads=[Lead.of(*group) for group in by_group(by_lead, forecast.step_seconds)],
        chances=chances_of(services, from_at, to_at, series=series, job=forecast.job),
    )


def like_issues(services: Services, forecast: Forecast, limit: int) -> list[Issue]:
    """The forecasts that are like this one, newest first."""
    return issues_of(services, forecast, limit)
