"""Names of jobs that are left out of lists: say it, take it back, list them. Nothing is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Response
from pydantic import Field

from api.edge.audit import note
from api.edge.context import Services
from api.edge.document import Answers
from api.edge.identity import caller
from api.edge.policy import READ, WRITE
from api.edge.projects import project_of_the_caller
from api.edge.routing import route
from api.schema import fields
from api.schema.answers import Answer
from api.schema.forms import Form
from api.schema.queries import Query
from shared.domain.forecasts import Forecast
from shared.domain.hidden_names import HiddenName, HiddenNames
from shared.domain.identifiers import listed
from shared.domain.jobs import JobFilter
from shared.domain.wording import meant
from shared.errors import InvalidRequest

MAX_LOOKED_AT = 1_000  # jobs


class HiddenNameBody(Form):
    """A name of jobs."""

    job_name: fields.FilledLabel
    project: fields.Label = Field("", description="whose jobs; a token of one project need not say it")


class HiddenNameQuery(Query):
    """Which name is meant."""

    job_name: fields.FilledLabel
    project: fields.Label = Field("", description="likewise")


class HiddenNameList(Answer):
    """Hidden names by project and name."""

    hidden_names: list[HiddenName]


@route("GET", "/v1/hidden-names", READ, Answers(HiddenNameList))
def list_hidden_names(services: Services) -> HiddenNameList:
    """List the names of jobs that are left out of lists, by whom and until when."""
    return _list(services)


@route("POST", "/v1/hidden-names", WRITE, Answers(HiddenNameList))
def hide_name(services: Services, json: HiddenNameBody) -> HiddenNameList:
    """Leave out of lists what a project's jobs have made under a name until now; what is made under it later is shown.

    Of jobs those that have ended, and their forecasts: `GET /v1/jobs`, `GET /v1/queues`, the pages. With `hidden=true` they are
    listed, and by their ids and names they are found as before.
    """
    project = project_of_the_caller(json.project)
    note(project=project, job_name=json.job_name)
    known = _known(services, project)
    if json.job_name not in known:
        hint = _elsewhere(services, json.job_name) or meant(json.job_name, known)
        raise InvalidRequest(f"no job of the project {project!r} is called so{hint}", field="job_name")
    services.store.hidden_names.put(HiddenName(project=project, job_name=json.job_name, at=datetime.now(UTC), by=caller().name))
    return _list(services)


@route("DELETE", "/v1/hidden-names", WRITE, Answers(None, 204))
def show_name(services: Services, query: HiddenNameQuery) -> Response:
    """Have a name in the lists again; one that is in them is no error."""
    project = project_of_the_caller(query.project)
    note(project=project, job_name=query.job_name)
    services.store.hidden_names.remove(project, query.job_name)
    return Response(status=204)


def hidden_names(services: Services) -> HiddenNames:
    """Those that the caller may see, to ask of jobs and forecasts."""
    return HiddenNames(services.store.hidden_names.of(caller().projects))


def without_hidden(services: Services, forecasts: Sequence[Forecast]) -> list[Forecast]:
    """The forecasts that lists show."""
    names = hidden_names(services)
    return [forecast for forecast in forecasts if not names.hide(forecast)]


def _known(services: Services, project: str) -> set[str]:
    """Names of a project's newest jobs, and of all that have a forecast."""
    jobs = services.store.jobs.find(JobFilter(project=project), MAX_LOOKED_AT)
    of_forecasts = {forecast.job for forecast in services.store.forecasts.newest_of_each(projects=[project])}
    return of_forecasts | {job.request.job_name for job in jobs}


def _elsewhere(services: Services, job_name: str) -> str:
    """Which other projects of the caller's have jobs of this name; "" = none of the newest."""
    jobs = services.store.jobs.find(JobFilter(projects=caller().projects), MAX_LOOKED_AT)
    projects = sorted({job.request.project for job in jobs if job.request.job_name == job_name})
    return f"; of {listed(list(map(repr, projects)))} there are some: name the project, --project" if projects else ""


def _list(services: Services) -> HiddenNameList:
    return HiddenNameList(hidden_names=services.store.hidden_names.of(caller().projects))
