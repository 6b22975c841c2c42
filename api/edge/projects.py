"""A token that is limited to projects sees and starts their jobs only; for it the others do not exist."""

from __future__ import annotations

from dataclasses import replace

from api.edge.context import Services
from api.edge.identity import caller
from shared.domain.jobs import Job, JobRequest
from shared.errors import JobNotFound, ProjectForbidden


def visible_job(services: Services, job_id: str) -> Job:
    """The job of this id; raises JobNotFound, also for one that the caller may not see."""
    job, projects = services.store.jobs.get(job_id), caller().projects
    if projects is not None and job.request.project not in projects:
        raise JobNotFound(job_id=job_id)
    return job


def of_the_caller(request: JobRequest) -> JobRequest:
    """The request, in a project of the caller's: one that names none gets the only one that there is.

    Raises:
        ProjectForbidden: with the projects that are accepted.
    """
    projects = caller().projects
    if projects is None or request.project in projects:
        return request
    if not request.project and len(projects) == 1:
        return replace(request, project=projects[0])
    raise ProjectForbidden(f"found {request.project!r}, accepted are {', '.join(projects)}", field="project")
