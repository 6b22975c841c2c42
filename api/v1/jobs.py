"""Jobs: start one, list them, look at one or at one queue of one, cancel or retry one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_hex
from urllib.parse import urlencode

import structlog
from flask import request

from api.edge import audit
from api.edge.context import Services
from api.edge.document import Answers
from api.edge.identity import caller
from api.edge.limits_now import LimitsNow, as_now
from api.edge.policy import READ, WRITE
from api.edge.projects import visible
from api.edge.request_checks import request_id
from api.edge.routing import route
from api.schema import answers
from api.schema.queries import JobsQuery, PathsChoice, SubmitHeaders
from api.schema.requests import CancelBody, JobBody, RetryBody
from api.v1.admission import admit, warnings_of
from api.v1.asked import asked
from api.v1.job_answers import job_answer, page_of_jobs, queue_report
from api.v1.queue_answers import QueueAnswer
from shared.domain.codec import to_json
from shared.domain.jobs import Job, JobRequest
from shared.domain.reports import outlook
from shared.errors import BrokerAway
from shared.store.jobs import JOBS

ANSWERED = Answers(answers.JobAnswer, 202, refuses=(409,))
Answered = tuple[answers.JobAnswer, int, dict[str, str]]

log = structlog.get_logger()


@route("POST", "/v1/jobs", WRITE, Answers(answers.JobAccepted, 202))
def submit_job(services: Services, json: JobBody, headers: SubmitHeaders) -> tuple[answers.JobAccepted, int, dict[str, str]]:
    """Start a job.

    It is stored before the answer is given; `links.self` says how it goes.
    """
    now, job_request = datetime.now(UTC), services.settings.with_cluster(asked(services, json))
    admit(services, job_request, now)  # speaks to the broker: 503 before anything is written
    new = _new_job(job_request, now, headers.idempotency_key)
    job = services.store.jobs.add(new, services.settings.allowance)
    audit.note(job_id=job.job_id)
    if job.job_id == new.job_id:
        try:
            services.lifecycle.start(job, services.enqueue)
        except BrokerAway:
            services.lifecycle.withdraw(job, now)
            raise
    answer = answers.JobAccepted.of(job)
    return answer, 202, {"Location": answer.links["self"]}


@route("GET", "/v1/jobs", READ, Answers(answers.JobPage, refuses=(400,)))
def list_jobs(services: Services, query: JobsQuery) -> tuple[answers.JobPage, dict[str, str]]:
    """List jobs, newest first."""
    jobs, cursor = page_of_jobs(services, query)
    headers = {"Link": f'<?{urlencode({**request.args, "cursor": cursor})}>; rel="next"'} if cursor else {}
    return answers.JobPage(jobs=[answers.JobSummary.of(job) for job in jobs], next_cursor=cursor), headers


@route("GET", "/v1/jobs/<job_id>", READ, Answers(answers.JobAnswer))
def show_job(services: Services, job_id: str) -> answers.JobAnswer:
    """Show a job: its request, how far it is, its queues with their winners."""
    return job_answer(services, visible(services, JOBS, job_id))


@route("GET", "/v1/jobs/<job_id>/queues", READ, Answers(answers.QueueList))
def list_job_queues(services: Services, job_id: str) -> answers.QueueList:
    """List the forecasts of a job, each with its predicted peak."""
    job, now = visible(services, JOBS, job_id), datetime.now(UTC)
    present = LimitsNow(services).of_all(services.store.forecasts.find(job_id=job.job_id))
    return answers.QueueList(queues=[outlook(forecast, now) for forecast in present])


@route("GET", "/v1/jobs/<job_id>/queues/<path:queue>", READ, Answers(QueueAnswer))
def show_job_queue(services: Services, job_id: str, queue: str, query: PathsChoice) -> QueueAnswer:
    """Show one queue of a job: data quality, leaderboard, winner, forecast."""
    job = visible(services, JOBS, job_id)
    forecasts = services.store.forecasts
    forecast = next((forecasts.with_paths(each) for each in forecasts.find(queue=queue, job_id=job_id)[-1:]), None)
    forecast = as_now(services, forecast) if forecast else None
    return QueueAnswer.of(queue_report(services, job, queue), forecast, datetime.now(UTC), query)


@route("POST", "/v1/jobs/<job_id>/cancel", replace(WRITE, body=CancelBody), ANSWERED)
def cancel_job(services: Services, job_id: str) -> Answered:
    """Cancel a job.

    No further work on it begins, and what is being computed is thrown away; forecasts that are delivered stay.
    """
    visible(services, JOBS, job_id)
    services.lifecycle.cancel(job_id, datetime.now(UTC))
    return _answered(services, job_id)


@route("POST", "/v1/jobs/<job_id>/retry", WRITE, ANSWERED)
def retry_job(services: Services, job_id: str, json: RetryBody) -> Answered:
    """Try a job again.

    By default only the queues without a forecast; with `"queues": "all"` every queue, also of a job that has succeeded; with a
    list of names these alone, what the others have stays. The issue time stays, so a new forecast replaces the old one; the
    deadline counts from now.
    """
    job = visible(services, JOBS, job_id)
    audit.note(queues=json.queues if isinstance(json.queues, str) else ", ".join(json.queues))
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


def _new_job(job_request: JobRequest, now: datetime, key: str | None) -> Job:
    """A job whose id sorts by time and cannot be guessed.

    With an Idempotency-Key it keeps the request's fingerprint, which the JSON's spelling and order do not change. Key and job are
    stored in one atomic write, so a request that is repeated while the first is in flight finds the job; there is no 409 for it.
    """
    return Job(
        job_id=f"{now:%Y%m%dT%H%M%S}-{token_hex(5)}",
        request=job_request,
        created_at=now,
        warnings=warnings_of(job_request, now),
        client=caller().caller_id,
        request_id=request_id(),
        idempotency_key=key,
        fingerprint=sha256(to_json(job_request).encode()).hexdigest() if key else None,
    )
