"""What only a worker can say of a request before anything runs: its sources, its sink, and whether the history is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from shared.domain.jobs import JobRequest, Problem, Validation
from shared.domain.search_space import candidates_of, check_count
from shared.errors import QueuecastError
from worker.job.catalogue import model_cards
from worker.job.ingestion import covariate_query, read_all, usage_query
from worker.job.resources import Resources, current_resources
from worker.pipeline.plan import accepted_queues, wanted_queues
from worker.pipeline.queue import prepare_queue

MAX_QUEUES_READ = 3  # queues that are read: an answer is awaited

log = structlog.get_logger(__name__)


def validate(request: JobRequest, now: datetime) -> Validation:
    """Look at everything that the job would meet; starts nothing and writes nothing."""
    resources, issued_at = current_resources(), request.issue_time(now)
    problems: list[Problem] = []
    warnings: list[str] = []
    looks: dict[str, Callable[[], Iterable[str]]] = {
        "data.destination": lambda: _look_at_sink(resources, request),
        "data.source": lambda: _look_at_sources(resources, request, issued_at),
    }
    for field, look in looks.items():
        try:
            warnings += look()
        except QueuecastError as error:
            log.info("a question is answered with a problem", error=str(error))
            problems.append(Problem(field=field, message=error.public))
    return Validation(problems=tuple(problems), warnings=tuple(dict.fromkeys(warnings)))


def _look_at_sink(resources: Resources, request: JobRequest) -> tuple[str, ...]:
    place = request.data.destination
    resources.sink(place, request.project).check(place)
    return ()


def _look_at_sources(resources: Resources, request: JobRequest, issued_at: datetime) -> Iterator[str]:
    """Warnings of the sources and of the first queues; raises what would fail the job."""
    query = replace(usage_query(request, "", issued_at), columns=request.columns if len(request.data.sources) == 1 else None)
    view = resources.source(query.place, request.project).check(query)
    yield from view.notes
    for place in request.data.sources[1:]:
        yield from resources.source(place, request.project).check(covariate_query(query, place)).notes
    known, left_out = accepted_queues(view.queues)
    yield from left_out
    queues, about_queues = wanted_queues(request, known)
    yield from about_queues
    check_count(request, candidates=len(candidates_of(request, model_cards())), queues=len(queues))
    yield f"{len(queues)} of {len(known)} queues would be forecast; {min(MAX_QUEUES_READ, len(queues))} were looked at"
    for queue in queues[:MAX_QUEUES_READ]:
        yield from _look_at_queue(resources, request, queue, issued_at)


def _look_at_queue(resources: Resources, request: JobRequest, queue: str, issued_at: datetime) -> Iterator[str]:
    """Warnings of one queue; one that cannot be forecast is a warning too, as the others would go on."""
    try:
        reading = read_all(request, usage_query(request, queue, issued_at), partial(resources.read, project=request.project))
        without_advice = replace(reading, advice=())  # the look at the source has given it
        prepared = prepare_queue(request, without_advice, queue=queue, issued_at=issued_at, cards=model_cards())
        yield from (f"{queue}: {warning}" for warning in prepared.quality.warnings)
    except QueuecastError as error:
        yield f"{queue}: it would have no forecast: {error.public}"
