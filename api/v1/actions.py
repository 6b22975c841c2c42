"""Cancel a job, or retry it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import WRITE
from api.edge.projects import visible_job
from api.edge.routing import route
from api.schema import answers
from api.schema.requests import CancelBody, RetryBody
from api.v1.admission import warnings_of
from api.v1.job_answers import job_answer

ANSWERED = Answers(answers.JobAnswer, 202, refuses=(409,))
Answered = tuple[answers.JobAnswer, int, dict[str, str]]


@route("POST", "/v1/jobs/<job_id>/cancel", replace(WRITE, body=CancelBody), ANSWERED)
def cancel_job(services: Services, job_id: str) -> Answered:
    """Cancel a job.

    No further work on it begins, and what is being computed is thrown away; forecasts that are delivered stay.
    """
    visible_job(services, job_id)
    services.lifecycle.cancel(job_id, datetime.now(UTC))
    return _answered(services, job_id)


@route("POST", "/v1/jobs/<job_id>/retry", WRITE, ANSWERED)
def retry_job(services: Services, job_id: str, json: RetryBody) -> Answered:
    """Try a job again.

    By default only the queues without a forecast; with `"queues": "all"` every queue, also of a job that has succeeded. The issue
    time stays, so a new forecast replaces the old one; the deadline counts from now.
    """
    job = visible_job(services, job_id)
    services.lifecycle.retry(
        job_id,
        json.queues,
        datetime.now(UTC),
        services.enqueue,
        warnings=warnings_of(job.request, job.created_at),
        allowance=services.settings.allowance,
    )
    return _answered(services, job_id)


def _answered(services: Services, job_id: str) -> Answered:
    job = services.store.jobs.get(job_id)
    return job_answer(services, job), 202, {"Location": answers.job_path(job_id)}
