"""Whole jobs in this process, step by step."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.domain.jobs import JobRequest
from tests.factories import a_job, let_in
from worker.job import steps
from worker.job.resources import Resources
from worker.job.verification import verify_job


def run(here: Resources, request: JobRequest, job_id: str) -> None:
    """A whole job of all its queues, which looks at what earlier ones have forecast."""
    job = here.store.jobs.add(a_job(job_id=job_id, request=request, created_at=datetime.now(UTC)))
    here.run_state.begin_job(job_id, job.deadline_at)
    steps.plan(job_id)
    for queue in let_in(here.run_state, job_id):
        work = steps.ingest(job_id, queue)
        assert work is not None
        steps.score(job_id, queue, range(len(work.candidates)))
        steps.select(job_id, queue, is_heavy=True)
    here.lifecycle.finish(job_id, datetime.now(UTC))
    assert verify_job(here.store, here.store.jobs.get(job_id), 0) is None
