"""Which series of a queue a caller means: a name may stand for several, and then the caller has to say which."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from api.edge.context import Services
from api.edge.identity import caller
from api.schema.queries import SeriesChoice
from shared.domain.forecasts import Forecast
from shared.domain.identifiers import first_of, shown
from shared.domain.wording import meant
from shared.errors import QueueNotFound, SeveralSeries

MAX_CHOICES = 10
# in a query → of a forecast: what tells several apart, and what one of them may have changed
NAMES = {"cluster": "cluster", "project": "project", "target": "metric", "where": "where", "job": "job"}
CHANGING = {"step_seconds": "step_seconds", "aggregation": "aggregation", "day_timezone": "day_timezone"}


def chosen_forecast(services: Services, queue: str, asked: SeriesChoice, issued_at: datetime | None = None) -> Forecast:
    """The newest forecast of the series that is meant, its newest one of this issue time, or the one that a job has made.

    Jobs of one name may have changed their step, aggregation or zone: their newest series is meant, unless the query
    says which. Jobs of several names are told apart where they forecast different series.

    Raises:
        QueueNotFound: there is none that the caller may see. SeveralSeries: several fit.
    """
    if asked.job_id is not None:
        return _of_job(services, queue, asked.job_id)
    named = services.store.forecasts.newest_of_each(
        queue, metric=asked.target or asked.metric, cluster=asked.cluster, projects=projects_asked(asked.project), job=asked.job
    )
    exact = {name: value for name in ("where", *CHANGING) if (value := getattr(asked, name)) is not None}
    fitting = [forecast for forecast in named if all(getattr(forecast, name) == value for name, value in exact.items())]
    if not fitting:
        known = services.store.forecasts.names(projects=projects_asked(asked.project))
        raise QueueNotFound(f"no such forecast{meant(queue, [name for name in known if name != queue])}", queue=queue)
    newest_first = sorted(fitting, key=lambda forecast: (forecast.issued_at, forecast.created_at), reverse=True)
    by_choice = {_choice(forecast): forecast for forecast in reversed(newest_first)}
    if len({forecast.series_id for forecast in by_choice.values()}) > 1:
        raise _several(sorted(by_choice), queue)
    if issued_at is None:
        return newest_first[0]
    for series_id, job in dict.fromkeys((forecast.series_id, forecast.job) for forecast in newest_first):
        if (forecast := services.store.forecasts.newest(series_id, job, issued_at)) is not None:
            return forecast
    raise QueueNotFound("no such forecast", queue=queue, issued_at=issued_at.isoformat())


def choice_of(forecast: Forecast) -> dict[str, str]:
    """The query that means the newest forecast of this very series and name of a job."""
    return {name: str(getattr(forecast, attribute)) for name, attribute in (NAMES | CHANGING).items()}


def _of_job(services: Services, queue: str, job_id: str) -> Forecast:
    projects = caller().projects
    for forecast in services.store.forecasts.find(queue=queue, job_id=job_id):
        if projects is None or forecast.project in projects:
            return forecast
    raise QueueNotFound("no such forecast", queue=queue, job_id=job_id)


def projects_asked(project: str | None) -> Sequence[str] | None:
    """Whose forecasts are looked at; None = everybody's."""
    projects = caller().projects
    if project is None:
        return projects
    return [project] if projects is None or project in projects else []


def _choice(forecast: Forecast) -> tuple[str, ...]:
    return tuple(getattr(forecast, name) for name in NAMES.values())


def _several(choices: Sequence[tuple[str, ...]], queue: str) -> SeveralSeries:
    """The refusal with the choices as queries: what tells them apart, the job's name only where nothing else does."""
    places = [place for place in range(len(NAMES) - 1) if len({choice[place] for choice in choices}) > 1] or [len(NAMES) - 1]
    names = list(NAMES)
    told = dict.fromkeys(tuple(choice[place] for place in places) for choice in choices)
    queries = [dict(zip((names[place] for place in places), values, strict=True)) for values in told]
    said = first_of(queries, MAX_CHOICES, say=lambda query: "&".join(f"{name}={shown(value)}" for name, value in query.items()))
    return SeveralSeries(f"{len(queries)} series have it; add to the query one of: {said}", choices=queries, queue=queue)
