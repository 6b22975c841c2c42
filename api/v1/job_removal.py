"""Delete jobs that have ended: their requests, reports and leaderboards. Forecasts stay, here and where they were delivered.

What was issued can be held against what came only as long as it is there, whoever would rather not know.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Response, request

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.identity import caller
from api.edge.policy import WRITE
from api.edge.projects import visible
from api.edge.routing import route
from shared.domain.audits import JOB_DELETED, AuditEntry
from shared.domain.jobs import Job, JobState
from shared.domain.states import why_forbidden
from shared.errors import StateForbids
from shared.store.jobs import JOBS

ENDED = frozenset(state for state in JobState if state.is_terminal)


@route("DELETE", "/v1/jobs/<job_id>", WRITE, Answers(None, 204, refuses=(409,)))
def delete_job(services: Services, job_id: str) -> Response:
    """Delete a job that has ended, with what is known of its queues.

    Its forecasts stay, here until they are old and where they were delivered for good, and what is told of their accuracy.
    """
    delete(services, visible(services, JOBS, job_id))
    return Response(status=204)


def delete(services: Services, job: Job) -> None:
    """Delete a job, and say in the audit trail who did; raises StateForbids for one that has not ended."""
    if not job.state.is_terminal:
        raise _forbids(job)
    with services.store.together():
        services.store.audits.add(_row(job))  # first: who approves a decision is asked whose the job was
        if not services.store.retention.delete_job(job.job_id):
            raise _forbids(services.store.jobs.get(job.job_id))  # it was tried again meanwhile


def _forbids(job: Job) -> StateForbids:
    return StateForbids(why_forbidden(job.state, "deleted", ENDED), job_id=job.job_id)


def _row(job: Job) -> AuditEntry:
    who = caller()
    return AuditEntry(
        entry_id=f"{job.job_id}-deleted",
        at=datetime.now(UTC),
        what=JOB_DELETED,
        cluster=job.request.cluster,
        project=job.request.project,
        subject=job.job_id,
        who=who.caller_id,
        name=who.name,
        source=request.remote_addr or "",
        reason=f"{job.request.job_name}, {job.state}",
        before=job.client,
    )
