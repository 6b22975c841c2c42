"""Schedules: cron expressions, a time zone and a job's request, when it is due next and what came of the last time.

The reaper makes the jobs; these views manage the schedules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from secrets import token_hex

import structlog
from flask import Response
from pydantic import Field

from api.edge import audit
from api.edge.context import Services
from api.edge.document import Answers
from api.edge.identity import caller
from api.edge.policy import READ, WRITE
from api.edge.projects import visible
from api.edge.routing import route
from api.schema import fields
from api.schema.answers import Answer, job_path, schedule_path
from api.schema.forms import Form
from api.schema.requests import JobBody
from api.v1.admission import admit
from api.v1.asked import asked
from shared.domain.cadences import check_cadences
from shared.domain.jobs import JobRequest, JobState
from shared.domain.runs import Run
from shared.domain.schedules import Schedule, due_after, paused, resumed
from shared.errors import BrokerAway, ChangedMeanwhile
from shared.store.schedules import SCHEDULES

MAX_CRON = 200  # characters
TRIES = 5  # of a change that the reaper's own may come before

log = structlog.get_logger()


class ScheduleBody(Form):
    """A recurring job."""

    name: fields.Title
    cron: str = Field(
        max_length=MAX_CRON,
        description="when all candidates compete: minute, hour, day of month, month, day of week (0 = Sunday): `0 6 * * 1-5`",
    )
    refit_cron: str | None = Field(
        None,
        max_length=MAX_CRON,
        description="when the last winners are fitted again and forecast, without a new choice; queues that have drifted or have "
        "no winner yet, are searched; null = never",
    )
    actuals_cron: str | None = Field(
        None, max_length=MAX_CRON, description="when new actual values are read, without a forecast; null = never"
    )
    timezone: fields.TimeZone = Field("UTC", description="in which the expressions are meant")
    request: JobBody = Field(description="the job, as for POST /v1/jobs")
    is_paused: fields.Flag = False


class EmptyBody(Form):
    """Nothing: the address says it all."""


class DueAnswer(Answer):
    """When something is due, and what came of the last time."""

    next_due_at: datetime | None = Field(description="null while the schedule is paused")
    last_due_at: datetime | None
    last_job_id: str | None
    last_job_state: JobState | None = Field(description="null also when the job is not kept any more")
    last_skip: str | None = Field(description="why the last due time made no job")


class CadenceAnswer(DueAnswer):
    """One cadence of a schedule."""

    run: Run
    cron: str


class ScheduleAnswer(DueAnswer):
    """One schedule."""

    schedule_id: str
    name: str
    cron: str = Field(description="of searches; what is said of the next and last time is of these, too")
    refit_cron: str | None
    actuals_cron: str | None
    timezone: str
    is_paused: bool
    created_at: datetime
    cadences: list[CadenceAnswer] = Field(description="those that it has: search, refit, actuals")
    managed_by: str = Field(description="the set of `queuecast apply` that it belongs to; empty: made by hand")
    request: JobRequest
    links: dict[str, str]


class ScheduleList(Answer):
    """Every schedule, by name."""

    schedules: list[ScheduleAnswer]


CHANGE = replace(WRITE, body=EmptyBody)
CHANGED = Answers(ScheduleAnswer, refuses=(409,))


@route("GET", "/v1/schedules", READ, Answers(ScheduleList))
def list_schedules(services: Services) -> ScheduleList:
    """List every schedule with its next due time and what came of the last."""
    return ScheduleList(schedules=schedule_answers(services))


@route("POST", "/v1/schedules", WRITE, Answers(ScheduleAnswer, 201))
def add_schedule(services: Services, json: ScheduleBody) -> tuple[ScheduleAnswer, int, dict[str, str]]:
    """Add a schedule; its request is checked as that of a job is."""
    now, job_request = datetime.now(UTC), asked(services, json.request)
    with services.outages.noted(BrokerAway):  # then the models are not known; when it is due, planning checks them
        admit(services, job_request, now)
    schedule = schedule_of(json, job_request, now)
    services.store.schedules.add(schedule, services.settings.allowance)
    audit.note(schedule_id=schedule.schedule_id)
    log.info("schedule added", schedule_id=schedule.schedule_id, name=schedule.name)
    answer = schedule_answer(services, schedule)
    return answer, 201, {"Location": answer.links["self"]}


def schedule_of(body: ScheduleBody, request: JobRequest, now: datetime) -> Schedule:
    """The new schedule that a body describes; raises InvalidRequest for times that are not accepted."""
    schedule = Schedule(
        schedule_id=token_hex(5),
        name=body.name,
        cron=" ".join(body.cron.split()),
        refit_cron=_plain(body.refit_cron),
        actuals_cron=_plain(body.actuals_cron),
        timezone=body.timezone,
        request=request,
        created_at=now,
        due_at=now,
        is_paused=bool(body.is_paused),
        client=caller().caller_id,
    )
    check_cadences(schedule)
    return replace(schedule, due_at=due_after(schedule, now))


@route("GET", "/v1/schedules/<schedule_id>", READ, Answers(ScheduleAnswer))
def show_schedule(services: Services, schedule_id: str) -> ScheduleAnswer:
    """Show a schedule."""
    return schedule_answer(services, visible(services, SCHEDULES, schedule_id))


@route("POST", "/v1/schedules/<schedule_id>/pause", CHANGE, CHANGED)
def pause_schedule(services: Services, schedule_id: str) -> ScheduleAnswer:
    """Let a schedule rest until it is resumed."""
    return _changed(services, schedule_id, paused)


@route("POST", "/v1/schedules/<schedule_id>/resume", CHANGE, CHANGED)
def resume_schedule(services: Services, schedule_id: str) -> ScheduleAnswer:
    """Let a schedule go on, from its next due time after now."""
    now = datetime.now(UTC)
    return _changed(services, schedule_id, lambda schedule: resumed(schedule, now))


@route("DELETE", "/v1/schedules/<schedule_id>", WRITE, Answers(None, 204))
def remove_schedule(services: Services, schedule_id: str) -> Response:
    """Remove a schedule; the jobs that it made stay."""
    services.store.schedules.remove(visible(services, SCHEDULES, schedule_id).schedule_id)
    return Response(status=204)


def _changed(services: Services, schedule_id: str, change: Callable[[Schedule], Schedule]) -> ScheduleAnswer:
    """The schedule, changed; the reaper may change it at the same time, so it is looked at again."""
    for _ in range(TRIES):
        known = visible(services, SCHEDULES, schedule_id)
        new = change(known)
        if services.store.schedules.replace(known, new):
            return schedule_answer(services, new)
    raise ChangedMeanwhile("try again")


def schedule_answer(services: Services, schedule: Schedule) -> ScheduleAnswer:
    """The schedule as it is now."""
    links = {"self": schedule_path(schedule.schedule_id)}
    if schedule.last_job_id:
        links["last_job"] = job_path(schedule.last_job_id)
    cadences = _cadences(services, schedule)
    of_search = {name: getattr(cadences[0], name) for name in ("next_due_at", "last_job_state")}
    return ScheduleAnswer.showing(schedule, **of_search, cadences=cadences, links=links)


def schedule_answers(services: Services) -> list[ScheduleAnswer]:
    """Every schedule that the caller may see, by name."""
    seen = sorted(services.store.schedules.all(caller().projects), key=lambda schedule: schedule.name)
    return [schedule_answer(services, schedule) for schedule in seen]


def _cadences(services: Services, schedule: Schedule) -> list[CadenceAnswer]:
    """Those that it has, that of searches first."""
    jobs = [last.job_id for last in schedule.last.values() if last.job_id]
    states = {job.job_id: job.state for job in services.store.jobs.of_ids(jobs)}
    return [
        CadenceAnswer(
            run=run,
            cron=schedule.crons[run],
            next_due_at=None if schedule.is_paused else due_at,
            last_due_at=schedule.last[run].due_at,
            last_job_id=schedule.last[run].job_id,
            last_job_state=states.get(schedule.last[run].job_id or ""),
            last_skip=schedule.last[run].skip,
        )
        for run, due_at in schedule.next.items()
    ]


def _plain(cron: str | None) -> str | None:
    return None if cron is None else " ".join(cron.split())
