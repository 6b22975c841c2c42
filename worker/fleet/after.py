"""What follows when a job has ended: nothing of it changes the job."""

from __future__ import annotations

from shared.domain.decision_requests import asked_by_job
from shared.errors import JobNotFound
from shared.store import Store
from worker.fleet import workflow


def after_end(store: Store, job_id: str) -> None:
    """Have earlier forecasts verified, and decisions made from those that the job has made."""
    workflow.send_verify(job_id)
    try:
        job = store.jobs.get(job_id)
    except JobNotFound:
        return
    found = store.decision_requests.find(asked_by_job(job, job.asked_at).decision_id)
    if found is not None and found.outcome is None:
        workflow.send_decide(found.decision_id)
