"""Which series of a queue a caller means: a name may stand for several, and then the caller has to say which."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from api.edge.context import Services
from api.edge.identity import caller
from api.schema.queries import SeriesChoice
from shared.domain.forecasts import Forecast
from shared.domain.identifiers import first_of, shown
from shared.errors import QueueNotFound, SeveralSeries

MAX_CHOICES = 10
NAMES = ("cluster", "project", "target")
Choice = tuple[str, str, str]  # in the order of the names


def chosen_forecast(services: Services, queue: str, asked: SeriesChoice, issued_at: datetime | None = None) -> Forecast:
    """The newest forecast of the series that is meant, or its newest one of this issue time; of several steps, of any.

    Raises:
        QueueNotFound: there is none that the caller may see. SeveralSeries: several clusters, projects or targets fit.
    """
    fitting = services.store.forecasts.newest_of_each(
        queue, metric=asked.target or asked.metric, cluster=asked.cluster, projects=_projects(asked.project), job=asked.job
    )
    choices = {_choice(forecast) for forecast in fitting}
    if not fitting:
        raise QueueNotFound("no such forecast", queue=queue)
    if len(choices) > 1:
        raise _several(sorted(choices), queue)
    newest_first = sorted(fitting, key=lambda forecast: (forecast.issued_at, forecast.created_at), reverse=True)
    if issued_at is None:
        return newest_first[0]
    for series_id, job in dict.fromkeys((forecast.series_id, forecast.job) for forecast in newest_first):
        if (forecast := services.store.forecasts.newest(series_id, job, issued_at)) is not None:
            return forecast
    raise QueueNotFound("no such forecast", queue=queue, issued_at=issued_at.isoformat())


def _projects(project: str | None) -> Sequence[str] | None:
    """Whose forecasts are looked at; None = everybody's."""
    projects = caller().projects
    if project is None:
        return projects
    return [project] if projects is None or project in projects else []


def _choice(forecast: Forecast) -> Choice:
    return forecast.cluster, forecast.project, forecast.metric


def _several(choices: Sequence[Choice], queue: str) -> SeveralSeries:
    """The refusal with the choices as queries: what tells them apart."""
    differing = [place for place in range(len(NAMES)) if len({choice[place] for choice in choices}) > 1]
    queries = [{NAMES[place]: choice[place] for place in differing} for choice in choices]
    said = first_of(queries, MAX_CHOICES, say=lambda query: "&".join(f"{name}={shown(value)}" for name, value in query.items()))
    return SeveralSeries(f"{len(choices)} series have it; add to the query one of: {said}", choices=queries, queue=queue)
