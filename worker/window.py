"""How many queues of a job run at a time, and who is next: fairness between jobs, a bound on memory, and cheap cancelling."""

from __future__ import annotations

import math

from shared.forecasts import Lane
from shared.running import RunningJob
from worker.resources import resources

LEAST_QUEUES, FEW_QUEUES = 2, 4  # two, so that one is scored while the other is read or chosen from
FEW_TASKS = 200  # what another job may have to wait for


def window(slots: int, tasks_per_queue: int) -> int:
    """Queues that run at a time: enough to keep every slot busy three times over, and four unless they have many tasks each.

    What has been let in stands before a job that comes later, however small that is: queues of 150 candidates come two at a time.
    """
    tasks = max(1, tasks_per_queue)
    return max(LEAST_QUEUES, min(FEW_QUEUES, math.ceil(FEW_TASKS / tasks)), math.ceil(3 * slots / tasks))


def room(job: RunningJob) -> int:
    """The window of a planned job with the workers that live now."""
    slots = sum(worker.slots for worker in resources().run_state.workers() if Lane.SCORE.value in worker.lanes)
    return window(slots, job.progress.candidates.total // max(1, job.queues or 0))


def fill(job_id: str) -> list[str]:
    """Let the next queues of a job in; returns those that this call let in. Whoever calls sends their ingest tasks."""
    run_state = resources().run_state
    job = run_state.running_job(job_id)
    return run_state.release(job_id, room(job)) if job is not None and job.queues else []
