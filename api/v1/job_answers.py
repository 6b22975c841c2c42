"""Answers about jobs: a page of them; one with its progress and its queues."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from api.edge.context import Services
from api.edge.identity import caller
from api.schema import answers
from api.schema.requests import JobsQuery
from api.v1.paging import cursor_after, position
from api.v1.progress import queue_reports, with_progress
from shared.domain.jobs import Job
from shared.domain.reports import QueueReport


def page_of_jobs(services: Services, query: JobsQuery) -> tuple[list[Job], str | None]:
    """The jobs that are asked for, of those that the caller may see, and the cursor of the page behind them."""
    before = position(query.cursor, services.cursor_key) if query.cursor is not None else None
    jobs = services.store.jobs.find(replace(query.to_filter(), projects=caller().projects), query.limit + 1, before)
    page = jobs[: query.limit]
    return with_progress(services, page), cursor_after(page[-1], services.cursor_key) if len(jobs) > len(page) else None


def job_answer(services: Services, job: Job) -> answers.JobAnswer:
    """The job as it is now, of which `job` is the row."""
    [job] = with_progress(services, [job])
    return answers.detail(job, [_queue_of_job(report) for report in queue_reports(services, job)])


def _queue_of_job(report: QueueReport) -> answers.QueueOfJob:
    link = f"{answers.job_path(report.job_id)}/queues/{quote(report.queue)}"
    return answers.QueueOfJob.showing(report, links={"self": link})
