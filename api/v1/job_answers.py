"""The present state of jobs, as callers see it: a page of them; one with its progress and its queues.

It comes from the store, and while a job runs from the run state, which is ahead of it. While the broker is away only the store is
read, which may be behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from api.edge.context import Services
from api.edge.identity import caller
from api.edge.projects import visible
from api.schema import answers
from api.schema.queries import JobsQuery
from api.v1.hidden_names import hidden_names
from api.v1.paging import cursor_after, position
from shared.domain.hidden_names import HiddenNames
from shared.domain.jobs import Job, QueueState
from shared.domain.outgoing import in_path
from shared.domain.pace import pace
from shared.domain.reports import QueueReport
from shared.domain.schedules import Schedule
from shared.errors import BrokerAway, QueueNotFound, RecordUnreadable, ScheduleNotFound
from shared.store.schedules import SCHEDULES

MAX_ROUNDS = 20  # of looking for jobs that are not hidden; the next page goes on from there
T = TypeVar("T")


def page_of_jobs(services: Services, query: JobsQuery) -> tuple[list[Job], str | None]:
    """The jobs that are asked for, of those that the caller may see, and the cursor of the page behind them."""
    where = replace(query.to_filter(), projects=caller().projects)
    hidden, shown = HiddenNames() if query.hidden else hidden_names(services), list[Job]()
    before = position(query.cursor, services.cursor_key)
    for _ in range(MAX_ROUNDS):
        found = services.store.jobs.find(where, query.limit + 1, before)
        shown += [job for job in found if hidden.of(job) is None]
        before = (found[-1].created_at, found[-1].job_id) if len(found) > query.limit else None
        if before is None or len(shown) > query.limit:
            break
    page = shown[: query.limit]
    if len(shown) > len(page):
        before = page[-1].created_at, page[-1].job_id
    cursor = cursor_after(before, services.cursor_key) if before else None
    return with_progress(services, page), cursor


def job_answer(services: Services, job: Job) -> answers.JobAnswer:
    """The job as it is now, of which `job` is the row."""
    [job] = with_progress(services, [job])
    queues = [_queue_of_job(report) for report in queue_reports(services, job)]
    schedule = made_by(services, job)
    links = {"schedule": answers.schedule_path(schedule.schedule_id)} if schedule else {}
    left = pace(job, datetime.now(UTC)).left
    told = {"schedule_name": schedule.name if schedule else None, "seconds_left": None if left is None else left.total_seconds()}
    return answers.JobAnswer.of(job, links, **told, queues=queues)


def made_by(services: Services, job: Job) -> Schedule | None:
    """The schedule that made the job; None = none did, or it is gone, or cannot be read any more."""
    with suppress(ScheduleNotFound, RecordUnreadable):
        return visible(services, SCHEDULES, job.schedule_id) if job.schedule_id else None
    return None


def _queue_of_job(report: QueueReport) -> answers.QueueOfJob:
    link = f"{answers.job_path(report.job_id)}/queues/{in_path(report.queue)}"
    return answers.QueueOfJob.showing(report, links={"self": link})


def with_progress(services: Services, jobs: Sequence[Job]) -> list[Job]:
    """The same jobs, each with its progress as it is now."""
    try:
        running = {job.job_id: services.run_state.running_job(job.job_id) for job in jobs if not job.state.is_terminal}
    except BrokerAway as error:
        services.outages.met(error)
        return list(jobs)
    live = {job_id: run.progress for job_id, run in running.items() if run and run.is_planned}
    return [replace(job, progress=replace(live.get(job.job_id, job.progress), replans=job.progress.replans)) for job in jobs]


def queue_reports(services: Services, job: Job) -> list[QueueReport]:
    """Every queue of the job by name, without outcomes."""
    reports = {report.queue: _ended_with(job, report) for report in services.store.reports.of_job(job.job_id)}
    live_states = _live(services, job, lambda: services.run_state.queue_states(job.job_id)) or {}
    for queue, (state, reason) in live_states.items():
        known = reports.get(queue) or QueueReport(job_id=job.job_id, queue=queue, state=state)
        reports[queue] = replace(known, state=state, reason=reason)
    return [reports[queue] for queue in sorted(reports)]


def queue_report(services: Services, job: Job, queue: str) -> QueueReport:
    """One queue of the job, with its outcomes; raises QueueNotFound."""
    live = _live(services, job, lambda: services.run_state.queue_state(job.job_id, queue))
    try:
        report = _ended_with(job, services.store.reports.get(job.job_id, queue))
    except QueueNotFound:
        if live is None:
            raise QueueNotFound("the job has no such queue, or is not planned yet", job_id=job.job_id, queue=queue) from None
        report = QueueReport(job_id=job.job_id, queue=queue, state=live[0])  # not ingested yet
    return report if live is None else replace(report, state=live[0], reason=live[1])


def _ended_with(job: Job, report: QueueReport) -> QueueReport:
    """The report; queues that were left open when the job ended, such as with a lost run state, have failed for its reason."""
    if job.state.is_terminal and report.state in {QueueState.WAITING, QueueState.RUNNING}:
        return replace(report, state=QueueState.FAILED, reason=job.reason)
    return report


def _live(services: Services, job: Job, read: Callable[[], T]) -> T | None:
    """What the run state says of a job that has not ended; None while the broker is away."""
    try:
        return None if job.state.is_terminal else read()
    except BrokerAway as error:
        services.outages.met(error)
        return None
