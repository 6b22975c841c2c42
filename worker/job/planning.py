"""The plan of a job: its places as they are now, its queues, and how many candidates each of them has at most."""

from __future__ import annotations

from datetime import datetime

import structlog

from shared.domain.jobs import Job, QueueState
from shared.domain.lanes import Lane
from shared.domain.runs import Run
from shared.domain.search_space import candidates_of, check_count
from worker.job.blocks import block_size
from worker.job.catalogue import model_cards
from worker.job.delivery import Delivery
from worker.job.ingestion import at_first, first_query
from worker.job.resources import Resources
from worker.job.whereabouts import check_known, check_unmoved, keep_known, led_to
from worker.pipeline.plan import Warnings, accepted_queues, wanted_queues

log = structlog.get_logger(__name__)


def name_queues(resources: Resources, job: Job) -> None:
    """Look at the job's places, and keep which queues it has, what they are planned for and how they are read."""
    request = job.request
    cards = {card.name: card for card in model_cards()}
    is_search = job.run is Run.SEARCH
    candidates = candidates_of(request, tuple(cards.values())) if job.run is not Run.ACTUALS else ()
    issued_at = job.issued_at or request.issue_time(job.created_at)
    queues, known, warnings = _looked_up(resources, job, issued_at, len(candidates))
    places = led_to(resources, request)
    keep_known(resources, job, places)
    resources.lifecycle.forget_reports(job.job_id)
    delivered = {report.queue for report in resources.store.reports.of_job(job.job_id) if report.state is QueueState.SUCCEEDED}
    wanted = job.only or queues  # one that is not there any more fails by itself, with its reason
    resources.store.jobs.update(job.job_id, seen=job, issued_at=issued_at, led_to=places, warnings=warnings)
    resources.run_state.name_queues(
        job.job_id,
        [name for name in wanted if name not in delivered],
        issued_at,
        planned=len(candidates) if is_search else 1,
        heavy=sum(cards[candidate.model].lane is Lane.HEAVY for candidate in candidates) if is_search else 0,
        project=job.account,
        block=block_size(resources, job, known, issued_at),
    )
    about = {"run": job.run.value, "issued_at": issued_at.isoformat()}
    log.info("job planned", queues=len(queues), candidates_per_queue=len(candidates), **about)


def _looked_up(resources: Resources, job: Job, issued_at: datetime, candidates: int) -> tuple[list[str], int, Warnings]:
    """The job's queues, how many the source has, and what to say of them; raises what all of them would fail for."""
    request = job.request
    check_unmoved(resources, job)
    check_known(resources, request)
    resources.with_file_events(request, issued_at)  # once for all queues: what is wrong with a file is wrong for each of them
    source = resources.source(request.data.sources[0], request.project)
    known, warnings = accepted_queues(source.queues(at_first(request, first_query(job, "", issued_at))))
    queues, about_queues = wanted_queues(request, known)
    if job.run is not Run.ACTUALS:
        target = request.data.destination
        resources.sink(target, request.project).check(target)  # before any model is trained
        check_count(request, candidates=candidates, queues=len(queues))
        Delivery(resources, request).refuse_mixture(queues, issued_at)
    return queues, len(known), (*warnings, *about_queues)
