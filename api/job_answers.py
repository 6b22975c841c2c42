"""One job as it is answered: its row, how far it is, its queues."""

from __future__ import annotations

from urllib.parse import quote

from api import answers
from api.context import Services
from api.progress import queue_reports, with_progress
from shared.jobs import Job
from shared.reports import QueueReport


def job_answer(here: Services, job: Job) -> answers.JobAnswer:
    """The job as it is now, of which `job` is the row."""
    [job] = with_progress(here, [job])
    return answers.detail(job, [_queue_of_job(report) for report in queue_reports(here, job)])


def _queue_of_job(report: QueueReport) -> answers.QueueOfJob:
    link = f"{answers.job_path(report.job_id)}/queues/{quote(report.queue)}"
    return answers.QueueOfJob.showing(report, links={"self": link})
