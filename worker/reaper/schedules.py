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
from shared.domain.runs import Run
from shared.domain.schedules import Due, Schedule, due_now, looked_after
from shared.errors import AllowanceUsedUp, ServiceError
from shared.store import Store
from worker.job.resources import Resources

# kind of run → kinds whose last job must have ended: values are read whatever else runs, and a refit waits for no winner to come
KEPT_WAITING_BY = {Run.SEARCH: (Run.SEARCH,), Run.REFIT: (Run.SEARCH, Run.REFIT), Run.ACTUALS: (Run.ACTUALS,)}

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
    due = due_now(schedule, now)
    if due is None:
        return
    before = _unended(resources.store, schedule, due)
    if before is not None:
        _skip(resources.store, schedule, due, f"its job {before} of the time before had not ended")
        return
    try:
        job = resources.store.jobs.add(_job(resources, schedule, due, now), resources.settings.allowance)
    except AllowanceUsedUp as error:
        _skip(resources.store, schedule, due, str(error))
        return
    if job.state is JobState.QUEUED:
        resources.lifecycle.start(job, send_plan)
    if resources.store.schedules.replace(schedule, looked_after(schedule, due, job_id=job.job_id)):
        log.info("schedule fired", job_id=job.job_id, **_about(schedule, due))


def _skip(store: Store, schedule: Schedule, due: Due, reason: str) -> None:
    if store.schedules.replace(schedule, looked_after(schedule, due, skip=reason)):
        log.warning("due time skipped", reason=reason, **_about(schedule, due))


def _about(schedule: Schedule, due: Due) -> dict[str, str]:
    return {"schedule_id": schedule.schedule_id, "due_at": due.at.isoformat(), "run": due.run.value}


def _unended(store: Store, schedule: Schedule, due: Due) -> str | None:
    """The id of a job of before that is waited for and has not ended; the job of this very due time does not count."""
    last = {schedule.last[run].job_id for run in KEPT_WAITING_BY[due.run]} - {None, schedule.job_id_at(due.at)}
    jobs = store.jobs.of_ids(sorted(filter(None, last)))  # one whose time to be kept is over is not among them
    return next((job.job_id for job in jobs if not job.state.is_terminal), None)


def _job(resources: Resources, schedule: Schedule, due: Due, now: datetime) -> Job:
    return Job(
        job_id=schedule.job_id_at(due.at),
        request=resources.settings.with_cluster(schedule.request),
        created_at=now,
        client=schedule.client,
        request_id=f"schedule-{schedule.schedule_id}",
        run=due.run,
        schedule_id=schedule.schedule_id,
        keeps_winners=Run.REFIT in schedule.crons,
    )
