"""What only a worker can say of a request before anything runs: its sources, its sink, and whether the history is enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import structlog

from shared.buckets import bucket_start
from shared.cards import candidates_of, check_count
from shared.errors import QueuecastError
from shared.jobs import JobRequest, Problem, Validation
from worker.catalogue import model_cards
from worker.pipeline.plan import accepted_queues, queue_work, wanted_queues
from worker.pipeline.quality import quality_report
from worker.pipeline.snapshot import make_snapshot
from worker.reading import read_all, usage_query
from worker.resources import resources

MOST_READ = 3  # queues that are read: an answer is awaited

log = structlog.get_logger(__name__)


def check(request: JobRequest, now: datetime) -> Validation:
    """Look at everything that the job would meet; starts nothing and writes nothing."""
    issued_at = bucket_start(request.as_of or now, request.step_seconds)
    problems: list[Problem] = []
    warnings: list[str] = []
    for field, looks in (
        ("data.destination", _look_at_sink(request)),
        ("data.source", _look_at_sources(request, issued_at)),
    ):
        try:
            warnings += looks
        except QueuecastError as error:
            log.info("a question is answered with a problem", error=str(error))
            problems.append(Problem(field=field, message=error.public))
    return Validation(problems=tuple(problems), warnings=tuple(dict.fromkeys(warnings)))


def _look_at_sink(request: JobRequest) -> Iterator[str]:
    place = request.data.destination
    resources().sink(place, request.project).check(place)
    yield from ()


def _look_at_sources(request: JobRequest, issued_at: datetime) -> Iterator[str]:
    """Warnings of the sources and of the first queues; raises what would fail the job."""
    query = replace(usage_query(request, "", issued_at), columns=request.columns if len(request.data.sources) == 1 else None)
    view = resources().source(query.place, request.project).check(query)
    yield from view.notes
    for place in request.data.sources[1:]:
        companions = replace(query, place=place, target=None, columns=None)
        yield from resources().source(place, request.project).check(companions).notes
    known, left_out = accepted_queues(view.queues)
    yield from left_out
    wanted = wanted_queues(request, known)
    check_count(request, candidates=len(candidates_of(request, model_cards())), queues=len(wanted))
    yield f"{len(wanted)} of {len(known)} queues would be forecast; {min(MOST_READ, len(wanted))} were looked at"
    for queue in wanted[:MOST_READ]:
        yield from _look_at_queue(request, queue, issued_at)


def _look_at_queue(request: JobRequest, queue: str, issued_at: datetime) -> Iterator[str]:
    """Warnings of one queue; one that cannot be forecast is a warning too, as the others would go on."""
    try:
        reading = read_all(request, queue, issued_at)
        snapshot, _notes = make_snapshot(
            reading.frame, queue=queue, target=request.target, step_seconds=request.step_seconds, issued_at=issued_at
        )
        _work, warnings = queue_work(request, snapshot, issued_at, cards=model_cards())
        report = quality_report(snapshot, rows=reading.rows, duplicates=0, non_finite=0, notes=())
        yield from (f"{queue}: {warning}" for warning in (*report.warnings, *warnings))
    except QueuecastError as error:
        yield f"{queue}: it would have no forecast: {error.public}"
