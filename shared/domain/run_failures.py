"""Runs that brought a queue no forecast: its last good one is still what people read, and this says why, and since when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from shared.domain.identifiers import GLOB
from shared.domain.jobs import Job, JobState, QueueState
from shared.domain.reports import QueueReport, RunFailure
from shared.domain.runs import Run

EVERY_QUEUE = ""  # in place of one, where the job ended before it knew its queues


def failures_of(
    job: Job, reports: Sequence[QueueReport], state: JobState, reason: str | None, at: datetime
) -> Iterator[RunFailure]:
    """Of a job that ends like this: one for each queue without a forecast.

    Where it has not come to know its queues, those that its request names, or one for all where it names some by a pattern.
    """
    if job.run is Run.ACTUALS:
        return
    lost = {report.queue: report.reason for report in reports if report.state is not QueueState.SUCCEEDED}
    if state is JobState.FAILED and not reports:
        are_named = not any(GLOB & set(name) for name in job.request.queues)
        lost = dict.fromkeys(job.request.queues if are_named else (EVERY_QUEUE,), reason)
    for queue, why in lost.items():
        series_id = job.request.series(queue).series_id
        told = why or reason or "the job ended before its turn"
        yield RunFailure(series_id=series_id, job=job.request.job_name, job_id=job.job_id, at=at, reason=told)
