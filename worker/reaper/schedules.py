"""Schedules that are due become jobs, each due time once.

    store the job (its id is that of the due time) ──▶ run state, message ──▶ compare-and-set of the schedule

A crash in between leaves the due time where it was: the same job is stored again, which changes nothing, and goes on. Two that do
this at once do the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from shared.domain.jobs import Job, JobState
from shared.domain.schedules import Schedule, due_now, looked_after
from shared.errors import AllowanceUsedUp, JobNotFound, ServiceError
from shared.store import Store
from worker.job.resources import Resources

log = structlog.get_logger(__name__)


def fire_due(resources: Resources, now: datetime, send_plan: Callable[[str], None]) -> None:
    """Let every schedule that is due at `now` make its job; one that goes wrong keeps no other from its own.

    Args:
        send_plan: wakes somebody up to plan the job of this id.
    """
    for schedule in resources.store.schedules.all():
        try:
            _fire(resources, schedule, now, send_plan)
        except ServiceError:
            raise
        except Exception:  # about one schedule; it is in the log, and tried again
            log.exception("the schedule could not fire", schedule_id=schedule.schedule_id)


def _fire(resources: Resources, schedule: Schedule, now: datetime, send_plan: Callable[[str], None]) -> None:
    due_at = due_now(schedule, now)
    if due_at is None:
        return
    before = _unended(resources.store, schedule, due_at)
    if before is not None:
        _skip(resources.store, schedule, due_at, f"its job {before} of the time before had not ended")
        return
    try:
        job = resources.store.jobs.add(_job(resources, schedule, due_at, now), resources.settings.allowance)
    except AllowanceUsedUp as error:
        _skip(resources.store, schedule, due_at, str(error))
        return
    if job.state is JobState.QUEUED:
        resources.lifecycle.start(job, send_plan)
    if resources.store.schedules.replace(schedule, looked_after(schedule, due_at, job_id=job.job_id)):
        log.info("schedule fired", schedule_id=schedule.schedule_id, job_id=job.job_id, due_at=due_at.isoformat())


def _skip(store: Store, schedule: Schedule, due_at: datetime, reason: str) -> None:
    if store.schedules.replace(schedule, looked_after(schedule, due_at, skip=reason)):
        log.warning("due time skipped", schedule_id=schedule.schedule_id, due_at=due_at.isoformat(), reason=reason)


def _unended(store: Store, schedule: Schedule, due_at: datetime) -> str | None:
    """The id of the schedule's last job, while that has not ended; the job of this very due time does not count."""
    last = schedule.last_job_id
    if last is None or last == schedule.job_id_at(due_at):
        return None
    try:
        return None if store.jobs.get(last).state.is_terminal else last
    except JobNotFound:  # its time to be kept is over
        return None


def _job(resources: Resources, schedule: Schedule, due_at: datetime, now: datetime) -> Job:
    return Job(
        job_id=schedule.job_id_at(due_at),
        request=resources.settings.with_cluster(schedule.request),
        created_at=now,
        client=schedule.client,
        request_id=f"schedule-{schedule.schedule_id}",
    )
