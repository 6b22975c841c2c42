"""The step that reads several queues of a job together, where their places can be read so, and keeps what was read of each.

    plan ──▶ read block 0 ──▶ ingest, of those that have been let in
             read block 1 …   begun when the first queue of the block before is let in

It may run twice, and be lost: whoever ingests a queue of which nothing is kept reads it alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

import structlog

from shared.domain.jobs import Job
from shared.errors import DataError, MovedMeanwhile, ServiceError
from worker.job.attempts import MAX_ATTEMPTS, attempt
from worker.job.former_names import with_former_names
from worker.job.ingestion import queries_of, read_for
from worker.job.readings import from_bytes, to_bytes
from worker.job.resources import Resources, current_resources
from worker.job.together import Together
from worker.job.whereabouts import check_unmoved
from worker.sources.base import Reading

MAX_KEPT = 8 << 20  # bytes of a block; what is left of it is read queue by queue
KEPT_AT_A_TIME = 16  # queues

log = structlog.get_logger(__name__)


def block_size(resources: Resources, job: Job, queues: int, issued_at: datetime) -> int:
    """How many queues of a job are read together, at places that have so many; 0 = each by itself: one place is read so."""
    project, asked = job.request.project, queries_of(job, "", issued_at)
    if not all(resources.scans(query.place, project) for query in asked):
        return 0
    try:
        size = min(resources.scanned(query.place, project).together(query, queues) for query in asked)
    except DataError:  # of covariates: each queue tells what is wrong with them
        return 0
    return size if size > 1 else 0


def read_block(job_id: str, block: int) -> list[str]:
    """Read the queues of a block, once; gives those that have been let in and are to be ingested now.

    Whatever goes wrong with it is no failure of the job: its queues are read by themselves then, and each fails for itself.
    """
    run_state = current_resources().run_state
    if run_state.running_job(job_id) is None:
        return []
    if not run_state.readings.is_read(job_id, block):
        with attempt(run_state, job_id, "", f"read.{block}") as number:
            if 0 < number <= MAX_ATTEMPTS:
                _read(job_id, block)
    return end_block(job_id, block)


def end_block(job_id: str, block: int) -> list[str]:
    """Nothing more is read of the block together; gives its queues that are to be ingested now."""
    readings = current_resources().run_state.readings
    readings.mark_read(job_id, block)
    return readings.waiting(job_id, block)


def kept_reading(resources: Resources, job_id: str, queue: str) -> Reading | None:
    """What was read of a queue, None = nothing is kept; raises what there was to raise."""
    content = resources.run_state.readings.get(job_id, queue)
    reading = None if content is None else from_bytes(content)
    if isinstance(reading, DataError):
        raise reading
    return reading


def _read(job_id: str, block: int) -> None:
    resources = current_resources()
    readings = resources.run_state.readings
    try:
        job, names = resources.store.jobs.get(job_id), readings.unread(job_id, block)
        check_unmoved(resources, job)
        left, kept = MAX_KEPT, {}
        for name, content in _contents(resources, job, names):
            left -= len(content)
            if left < 0:
                break
            kept[name] = content
            if len(kept) == KEPT_AT_A_TIME:
                readings.keep(job_id, kept)
                kept = {}
        readings.keep(job_id, kept)
        log.info("queues read together", queues=len(names), bytes=MAX_KEPT - left)
    except ServiceError:
        raise
    except MovedMeanwhile:  # each queue tells it
        return
    except Exception:  # the time limit and want of memory among them
        log.exception("queues could not be read together, each is read by itself", block=block)


def _contents(resources: Resources, job: Job, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    issued_at = job.issued_at or datetime.now(UTC)
    together = Together(resources, job.request.project, names)
    alone = partial(resources.read, project=job.request.project)
    for name in names:
        try:
            read = with_former_names(resources, job.request, name, together.read, alone)
            yield name, to_bytes(read_for(job, name, issued_at, read))
        except DataError as error:
            yield name, to_bytes(error)
