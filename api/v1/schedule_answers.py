"""A schedule as callers read it: when it is due next, what came of the last time."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.edge.context import Services
from api.edge.identity import caller
from api.schema.answers import Answer, job_path
from shared.domain.jobs import JobRequest, JobState
from shared.domain.schedules import Schedule
from shared.errors import JobNotFound, ScheduleNotFound


class ScheduleAnswer(Answer):
    """One schedule."""

    schedule_id: str
    name: str
    cron: str
    timezone: str
    is_paused: bool
    created_at: datetime
    next_due_at: datetime | None = Field(description="null while it is paused")
    last_due_at: datetime | None
    last_job_id: str | None
    last_job_state: JobState | None = Field(description="null also when the job is not kept any more")
    last_skip: str | None = Field(description="why the last due time made no job")
    request: JobRequest
    links: dict[str, str]


class ScheduleList(Answer):
    """Every schedule, by name."""

    schedules: list[ScheduleAnswer]


def schedule_answer(services: Services, schedule: Schedule) -> ScheduleAnswer:
    """The schedule as it is now."""
    links = {"self": f"/v1/schedules/{schedule.schedule_id}"}
    if schedule.last_job_id:
        links["last_job"] = job_path(schedule.last_job_id)
    return ScheduleAnswer.showing(
        schedule,
        next_due_at=None if schedule.is_paused else schedule.due_at,
        last_job_state=_state(services, schedule.last_job_id),
        links=links,
    )


def schedule_answers(services: Services) -> list[ScheduleAnswer]:
    """Every schedule that the caller may see, by name."""
    seen = sorted(services.store.schedules.all(caller().projects), key=lambda schedule: schedule.name)
    return [schedule_answer(services, schedule) for schedule in seen]


def visible_schedule(services: Services, schedule_id: str) -> Schedule:
    """The schedule of this id; raises ScheduleNotFound, also for one that the caller may not see."""
    schedule, projects = services.store.schedules.get(schedule_id), caller().projects
    if projects is not None and schedule.request.project not in projects:
        raise ScheduleNotFound(schedule_id=schedule_id)
    return schedule


def _state(services: Services, job_id: str | None) -> JobState | None:
    try:
        return services.store.jobs.get(job_id).state if job_id else None
    except JobNotFound:
        return None
