"""Setting a stored job going: it gets a run state, and somebody is told to plan it."""

from __future__ import annotations

import structlog

from api.context import Services
from shared.errors import BrokerAway
from shared.jobs import Job

log = structlog.get_logger()


def start(here: Services, job: Job) -> None:
    """Let the job begin. That nobody could be told of it is no failure: the reaper plans it.

    Raises:
        BrokerAway: it has no run state.
    """
    here.run_state.begin_job(job.job_id, job.deadline_at, job.request_id)
    try:
        here.enqueue(job.job_id)
    except BrokerAway as error:
        log.warning("nobody was told of the job; the reaper will plan it", job_id=job.job_id, error=str(error))
