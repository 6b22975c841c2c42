"""What only a worker can say of a request before anything runs: its sources, its sink, and whether the history is enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from shared.domain.job_warnings import warnings_of, why_nothing
from shared.domain.jobs import JobRequest, JobState, QueueState
from shared.domain.reports import QualityReport, QueueReport
from shared.domain.search_space import candidates_of, check_count
from shared.domain.states import verdict
from shared.domain.validation import Problem, Validation
from shared.domain.wording import counted
from shared.errors import DataError, DataLost, QueuecastError, SinkRefused, UnreadableData
from worker.job.catalogue import model_cards
from worker.job.delivery import Delivery
from worker.job.departures import check_there, gone_or
from worker.job.former_names import with_former_names
from worker.job.ingestion import at_first, covariate_query, read_all, usage_query
from worker.job.regressors import Read
from worker.job.resources import Resources, current_resources
from worker.job.together import Together
from worker.job.whereabouts import check_known
from worker.pipeline.lost import why_skipped
from worker.pipeline.plan import accepted_queues, wanted_queues
from worker.pipeline.queue import prepare_queue

DESTINATION = "data.destination"
MAX_AT_A_TIME = 20  # queues
LOOK_SECONDS = 2.5  # then no further queue is read: an answer is awaited, for five

log = structlog.get_logger(__name__)


def validate(request: JobRequest, now: datetime) -> Validation:
    """Look at everything that the job would meet; starts nothing and writes nothing."""
    resources, issued_at = current_resources(), request.issue_time(now)
    problems: list[Problem] = []
    warnings: list[str] = []
    try:
        request = resources.with_file_events(request, issued_at)
    except QueuecastError as error:
        problems.append(Problem(field="events", message=error.public))
        request = replace(request, events=request.known_events)  # the rest is looked at without them
    looks: dict[str, Callable[[], Iterable[str]]] = {
        DESTINATION: lambda: _look_at_sink(resources, request),
        "data.source": lambda: _look_at_sources(resources, request, issued_at),
    }
    for field, look in looks.items():
        try:
            for warning in look():  # what was said before it fails is said
                warnings.append(warning)  # noqa: PERF402
        except QueuecastError as error:
            log.info("a question is answered with a problem", error=str(error))
            where = DESTINATION if isinstance(error, SinkRefused) else field  # what queues it has meets is known late
            problems.append(Problem(field=where, message=error.public))
    return Validation(problems=tuple(problems), warnings=tuple(dict.fromkeys(warnings)))


def _look_at_sink(resources: Resources, request: JobRequest) -> tuple[str, ...]:
    place = request.data.destination
    resources.sink(place, request.project).check(place)
    return ()


def _look_at_sources(resources: Resources, request: JobRequest, issued_at: datetime) -> Iterator[str]:
    """Warnings of the sources and of the first queues; raises what would fail the job."""
    query = at_first(request, usage_query(request, "", issued_at))
    check_known(resources, request)
    view = resources.source(query.place, request.project).check(query)
    yield from view.notes
    for place in request.data.sources[1:]:
        yield from resources.source(place, request.project).check(covariate_query(query, place)).notes
    known, left_out = accepted_queues(view.queues)
    yield from left_out
    queues, about_queues = wanted_queues(request, known)
    yield from about_queues
    check_count(request, candidates=len(candidates_of(request, model_cards())), queues=len(queues))
    Delivery(resources, request).refuse_mixture(queues, issued_at)
    reports = _look_at_queues(resources, request, queues, issued_at)
    asked = f"{len(queues)} of {counted(len(known), 'queue')} {'is' if len(queues) == 1 else 'are'} asked for"
    yield f"{asked}; {len(reports)} {'was' if len(reports) == 1 else 'were'} looked at"
    yield from _said_of(reports, of=len(queues))


def _look_at_queues(resources: Resources, request: JobRequest, queues: Sequence[str], issued_at: datetime) -> list[QueueReport]:
    """The first queues, as many as there is time for: one, and then those that can be read together in what is left of it."""
    reports: list[QueueReport] = []
    begin, count, alone = time.monotonic(), 1, partial(resources.read, project=request.project)
    while count and (some := queues[len(reports) : len(reports) + count]):
        together, began = Together(resources, request.project, some), time.monotonic()
        for queue in some:
            read = with_former_names(resources, request, queue, together.read, alone)
            reports.append(_look_at_queue(resources, request, queue, issued_at, read))
            if time.monotonic() > begin + LOOK_SECONDS:  # these take longer than the ones before have let expect
                return reports
        left, took = begin + LOOK_SECONDS - time.monotonic(), time.monotonic() - began
        count = min(MAX_AT_A_TIME, int(left * len(some) / took)) if left > 0 else 0
    return reports


def _said_of(reports: Sequence[QueueReport], of: int) -> Iterator[str]:
    """What the job would say of these queues, of so many; raises what it would fail for, if none of them had a forecast."""
    yield from warnings_of(reports)
    failures = {report.queue: str(report.reason) for report in reports if report.state is QueueState.FAILED}
    yield from (f"{queue}: it would have no forecast: {reason}" for queue, reason in failures.items())
    succeeded = sum(report.state is QueueState.SUCCEEDED for report in reports)
    state, reason = verdict(succeeded, failures, why_nothing(reports))
    if state is JobState.FAILED:
        raise UnreadableData.told(f"{reason}" if len(reports) == of else f"of the {len(reports)} looked at, {reason}")


def _look_at_queue(resources: Resources, request: JobRequest, queue: str, issued_at: datetime, read: Read) -> QueueReport:
    """What the job's report of the queue would say."""
    report = QueueReport(job_id="", queue=queue, state=QueueState.SUCCEEDED)
    try:
        reading = read_all(request, usage_query(request, queue, issued_at), read)
        report = replace(report, quality=QualityReport(losses=reading.losses))
        check_there(resources, request, queue, issued_at)
        without_advice = replace(reading, advice=())  # the look at the source has given it
        prepared = prepare_queue(request, without_advice, queue=queue, issued_at=issued_at, cards=model_cards())
        return replace(report, quality=prepared.quality)
    except DataError as raised:
        error = gone_or(resources, request, queue, issued_at, raised)
        if isinstance(error, DataLost):  # its reason says what was lost
            report = replace(report, quality=None)
        why = why_skipped(request, queue, error, issued_at)
        return replace(report, state=QueueState.SKIPPED if why else QueueState.FAILED, reason=why or error.public)
