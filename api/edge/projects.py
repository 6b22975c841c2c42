"""A token that is limited to projects sees and starts their jobs only; for it the others do not exist."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from api.edge.context import Services
from api.edge.identity import caller
from shared.domain.jobs import JobRequest
from shared.errors import ProjectForbidden
from shared.store.tables import Table

T = TypeVar("T")


def visible(services: Services, table: Table[T], key: str) -> T:
    """The record of this key; raises the table's own error, also for one that the caller may not see."""
    return services.store.get(table, key, projects=caller().projects)


def of_the_caller(request: JobRequest) -> JobRequest:
    """The request, in a project of the caller's."""
    return replace(request, project=project_of_the_caller(request.project))


def project_of_the_caller(project: str) -> str:
    """The project, which has to be one of the caller's: "" becomes the only one that there is.

    Raises:
        ProjectForbidden: with the projects that are accepted.
    """
    projects = caller().projects
    if projects is None or project in projects:
        return project
    if not project and len(projects) == 1:
        return projects[0]
    raise ProjectForbidden(f"found {project!r}, accepted are {', '.join(projects)}", field="project")
