"""How queues and jobs end: a queue once in the run state, a job once in its row. Everything here may be called twice."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from shared import metrics
from shared.errors import BrokerAway, DeadlinePassed, JobNotFound, QueueNotFound, RecordUnreadable, RunStateLost
from shared.jobs import Job, JobState, QueueState
from shared.names import first_of
from shared.reports import QueueReport
from shared.states import OPEN_STATES, verdict
from worker import hindsight
from worker.pipeline.selection import leaderboard
from worker.resources import Resources, resources

MAX_SHOWN = 3  # queues of a warning
NEVER_LET_IN = "its turn never came, other queues were before it"

log = structlog.get_logger(__name__)


def fail(job_id: str, queue: str | None, reason: str) -> None:
    """End a queue without forecast, or the whole job when no queue is named: what a retry has left of it is then partial."""
    here = resources()
    if here.run_state.running_job(job_id) is None:
        return
    if queue is None:
        _end_as(here, job_id, reason)
        return
    outcomes = tuple(here.run_state.attempts.outcomes(job_id, queue).values())
    if here.run_state.queue_end(job_id, queue) is not None:  # asked after reading: with the end the outcomes go
        return
    try:
        report = here.store.reports.get(job_id, queue)
    except (QueueNotFound, RecordUnreadable):  # what cannot be read is replaced: a queue always ends
        report = QueueReport(job_id=job_id, queue=queue, state=QueueState.FAILED)
    here.store.reports.save(replace(report, state=QueueState.FAILED, reason=reason, outcomes=leaderboard(outcomes)))
    here.run_state.end_queue(job_id, queue, reason)
    log.warning("queue failed", job_id=job_id, queue=queue, reason=reason)


def finish(job_id: str) -> None:
    """End the job if its last queue has ended."""
    here = resources()
    running = here.run_state.running_job(job_id)
    if running is not None and running.has_ended_all:
        _end_job(here, job_id, *_verdict(here, job_id, missing=""))


def note_waiting(job_id: str, queue: str | None, reason: str) -> None:
    """Remember which service a queue, or the plan of a job, waits for: at the deadline it is the reason."""
    log.warning("waiting for a service", job_id=job_id, queue=queue, reason=reason)
    with suppress(BrokerAway):  # then it is the broker that is waited for
        resources().run_state.note_waiting(job_id, queue or "", reason)


def pass_deadline(job_id: str) -> None:
    """End every queue that has none, then the job, with what there is: a job always ends."""
    here = resources()
    waiting = here.run_state.waiting_for(job_id)
    for queue, (state, _reason) in here.run_state.queue_states(job_id).items():
        if state in {QueueState.WAITING, QueueState.RUNNING}:
            found = waiting.get(queue, NEVER_LET_IN if state is QueueState.WAITING else "")
            fail(job_id, queue, str(DeadlinePassed(found)))
    running = here.run_state.running_job(job_id)
    if running is not None and running.queues:
        finish(job_id)
    else:  # never planned, or its run state is lost
        _end_as(here, job_id, str(DeadlinePassed(waiting.get("", ""))))


def replan(job_id: str) -> bool:
    """Give a job whose run state is lost another one, once; whether it must be planned. The second time it ends."""
    here = resources()
    job = here.store.jobs.get(job_id)
    if job.state.is_terminal:
        return False
    if job.progress.replans or job.deadline_at <= datetime.now(UTC):
        _end_as(here, job_id, str(RunStateLost()))
        return False
    here.store.jobs.update(job_id, progress=replace(job.progress, replans=job.progress.replans + 1))
    here.run_state.begin_job(job_id, job.deadline_at, job.request_id)
    log.warning("run state lost, job is planned again", job_id=job_id)
    return True


def clean_up(job_id: str) -> None:
    """Drop the run state of a job that has ended, or that nobody knows; not that of its retry, if one comes in between."""
    here = resources()
    with here.run_state.within_run(job_id):
        if not _is_open(here, job_id):
            here.run_state.drop_job(job_id)


def warnings_of(reports: Sequence[QueueReport]) -> list[str]:
    """What a person should know of the job's data, each thing once, with the queues that it is true of."""
    queues: dict[str, list[str]] = {}
    for report in reports:
        for warning in report.quality.warnings if report.quality else ():
            queues.setdefault(warning, []).append(report.queue)
    return [f"{_named(names, of=len(reports))}: {warning}" for warning, names in queues.items()]


def _named(names: Sequence[str], of: int) -> str:
    if len(names) == of > 1:
        return f"all {of} queues"
    return first_of(names, MAX_SHOWN)


def _warnings(here: Resources, job: Job) -> list[str]:
    """What is to be known of the job's data, and of earlier forecasts of its queues."""
    reports = here.store.reports.of_job(job.job_id)
    past = hindsight.warning(job.request, {report.queue for report in reports}, job.issued_at) if job.issued_at else None
    return [*warnings_of(reports), *([past] if past else [])]


def _is_open(here: Resources, job_id: str) -> bool:
    try:
        return not here.store.jobs.get(job_id).state.is_terminal
    except JobNotFound:
        return False


def _end_as(here: Resources, job_id: str, reason: str) -> None:
    """End a job for a reason of its own: partial when it has forecasts, failed when it has none."""
    state, _reason = _verdict(here, job_id, missing=reason)
    _end_job(here, job_id, JobState.PARTIAL if state is not JobState.FAILED else state, reason)


def _verdict(here: Resources, job_id: str, missing: str) -> tuple[JobState, str | None]:
    reports = here.store.reports.of_job(job_id)
    succeeded = sum(report.state is QueueState.SUCCEEDED for report in reports)
    failures = {report.queue: report.reason or missing for report in reports if report.state is not QueueState.SUCCEEDED}
    return verdict(succeeded, failures) if reports else (JobState.FAILED, missing)


def _end_job(here: Resources, job_id: str, state: JobState, reason: str | None) -> None:
    """Row first, then run state: the reaper completes a crash in between."""
    try:
        job: Job = here.store.jobs.get(job_id)
    except JobNotFound:
        clean_up(job_id)
        return
    running = here.run_state.running_job(job_id)
    progress = replace(running.progress, replans=job.progress.replans) if running else None
    here.store.jobs.update(job_id, progress=progress, warnings=_warnings(here, job))
    now = datetime.now(UTC)
    if here.store.jobs.move(job_id, OPEN_STATES, state, reason, now):
        metrics.job_ended(job, state, now)
        log.info("job ended", job_id=job_id, state=state.value, reason=reason)
    clean_up(job_id)
