"""What may be asked of a job that is there: stop it, or try it again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from api import answers
from api.acceptance import warnings_of
from api.context import Services
from api.edge import WRITE, Answers, route
from api.job_answers import job_answer
from api.projects import visible_job
from api.requests import CancelBody, RetryBody
from api.starting import start
from shared import metrics
from shared.errors import BrokerAway, StateForbids
from shared.jobs import JobState, QueueState
from shared.states import OPEN_STATES

ON_REQUEST = "cancelled on request"
WITHOUT_SUCCESS = frozenset({JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED})

# which queues are tried again → the states a job may be tried again from, and the reports that go
TRIED_FROM: Mapping[str, frozenset[JobState]] = {"failed": WITHOUT_SUCCESS, "all": WITHOUT_SUCCESS | {JobState.SUCCEEDED}}
FORGOTTEN: Mapping[str, frozenset[QueueState]] = {
    "failed": frozenset(QueueState) - {QueueState.SUCCEEDED},
    "all": frozenset(QueueState),
}

ANSWERED = Answers(answers.JobAnswer, 202, refuses=(409,))
Answered = tuple[answers.JobAnswer, int, dict[str, str]]

log = structlog.get_logger()


@route("POST", "/v1/jobs/<job_id>/cancel", replace(WRITE, body=CancelBody), ANSWERED)
def cancel_job(services: Services, job_id: str) -> Answered:
    """Cancel a job.

    No further work on it begins, and what is being computed is thrown away; forecasts that are delivered stay.
    """
    now = datetime.now(UTC)
    job = visible_job(services, job_id)
    if not services.store.jobs.move(job_id, OPEN_STATES, JobState.CANCELLED, ON_REQUEST, now):
        raise _forbids(services, job_id, "cancelled", OPEN_STATES)
    metrics.job_ended(job, JobState.CANCELLED, now)
    log.info("job cancelled", job_id=job_id)
    try:
        _let_go(services, job_id)
    except BrokerAway as error:
        log.warning("the run state is left to the reaper", job_id=job_id, error=str(error))
    return _answered(services, job_id)


@route("POST", "/v1/jobs/<job_id>/retry", WRITE, ANSWERED)
def retry_job(services: Services, job_id: str, json: RetryBody) -> Answered:
    """Try a job again.

    By default only the queues without a forecast; with `"queues": "all"` every queue, also of a job that has succeeded. The issue
    time stays, so a new forecast replaces the old one; the deadline counts from now.
    """
    now = datetime.now(UTC)
    job = visible_job(services, job_id)
    _let_go(services, job_id)  # speaks to the broker: 503 before anything is written
    warnings = warnings_of(job.request, job.created_at)  # those of the data are found again, or are no longer true
    states, allowance = TRIED_FROM[json.queues], services.settings.allowance
    if not services.store.jobs.reopen(job_id, states, now, warnings=warnings, allowance=allowance):
        raise _forbids(services, job_id, f"tried again (queues: {json.queues})", states)
    log.info("job is tried again", job_id=job_id, queues=json.queues)
    services.store.reports.forget(job_id, FORGOTTEN[json.queues])
    try:
        start(services, replace(job, queued_at=now))
    except BrokerAway as error:
        log.warning("the job has no run state; the reaper will give it one", job_id=job_id, error=str(error))
    return _answered(services, job_id)


def _let_go(here: Services, job_id: str) -> None:
    """Keep how far a job came that has ended, and drop its run state; not that of a retry, if one comes in between."""
    with here.run_state.within_run(job_id):
        job, running = here.store.jobs.get(job_id), here.run_state.running_job(job_id)
        if running is None or not job.state.is_terminal:
            return
        here.store.jobs.update(job_id, progress=replace(running.progress, replans=job.progress.replans))
        here.run_state.drop_job(job_id)


def _forbids(here: Services, job_id: str, what: str, states: Collection[JobState]) -> StateForbids:
    possible = [state.value for state in JobState if state in states]
    found = here.store.jobs.get(job_id).state
    return StateForbids(f"it is {found}; a job can be {what} when it is {' or '.join(possible)}")


def _answered(here: Services, job_id: str) -> Answered:
    job = here.store.jobs.get(job_id)
    return job_answer(here, job), 202, {"Location": answers.job_path(job_id)}
