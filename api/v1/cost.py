"""What a job of a request would cost: how many candidates it has, and how long that took other jobs lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from api.edge.context import Services
from api.edge.identity import caller
from shared.domain.jobs import JobFilter, JobRequest, JobState
from shared.domain.model_cards import ModelCard
from shared.domain.runs import Run
from shared.domain.search_space import count_candidates
from shared.errors import RequestError

MAX_JOBS = 20  # the newest that have succeeded, of which those count that searched


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of a whole job: its candidates, and its time at the pace of earlier jobs; None = none has searched here yet."""

    candidates: int
    lasts: timedelta | None


def cost_of(services: Services, request: JobRequest, cards: tuple[ModelCard, ...], queues: int) -> Cost | None:
    """The cost of so many queues; None = the models are not known, or the request asks for some that are not."""
    if not cards:
        return None
    try:
        candidates = count_candidates(request, cards) * queues
    except RequestError:
        return None
    return Cost(candidates=candidates, lasts=_lasts(services, candidates))


def _lasts(services: Services, candidates: int) -> timedelta | None:
    """At the usual pace of those earlier jobs that the caller may see."""
    found = JobFilter(state=JobState.SUCCEEDED, projects=caller().projects)
    paces = [
        (job.ended_at - job.started_at).total_seconds() / job.progress.candidates.total
        for job in services.store.jobs.find(found, MAX_JOBS)
        if job.run is Run.SEARCH and job.started_at and job.ended_at and job.progress.candidates.total
    ]
    return timedelta(seconds=median(paces) * candidates) if paces else None
