"""Recurring jobs: a cron expression, a time zone, a request. The reaper makes the jobs; here they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from secrets import token_hex

import structlog
from flask import Blueprint, Response
from pydantic import Field
from spectree import SpecTree

from api import audit, fields
from api.acceptance import check_models, check_places, check_times
from api.callers import caller
from api.context import Services, services
from api.problems import answered, refusing
from api.projects import of_the_caller
from api.requests import Form, JobBody
from api.schedule_answers import ScheduleAnswer, ScheduleList, schedule_answer, schedule_answers, visible_schedule
from shared.errors import BrokerAway, ChangedMeanwhile
from shared.jobs import JobRequest
from shared.schedules import Schedule, first_due, paused, resumed

TRIES = 5  # of a change that the reaper's own may come before

log = structlog.get_logger()


class ScheduleBody(Form):
    """A recurring job."""

    name: fields.Title
    cron: str = Field(max_length=200, description="minute, hour, day of month, month, day of week (0 = Sunday): `0 6 * * 1-5`")
    timezone: fields.TimeZone = Field("UTC", description="in which the expression is meant")
    request: JobBody = Field(description="the job, as for POST /v1/jobs")
    is_paused: bool = False


class EmptyBody(Form):
    """Nothing: the address says it all."""


def blueprint(spec: SpecTree) -> Blueprint:
    """The routes under /v1/schedules."""
    routes = Blueprint("schedules", __name__, url_prefix="/v1/schedules")
    tags = ["schedules"]
    listed, shown = answered(503, HTTP_200=ScheduleList), answered(404, 503, HTTP_200=ScheduleAnswer)
    routes.get("")(spec.validate(resp=listed, operation_id="list_schedules", tags=tags)(list_schedules))
    made = answered(400, 403, 413, 415, 429, 503, HTTP_201=ScheduleAnswer)
    routes.post("")(spec.validate(resp=made, operation_id="add_schedule", before=refusing(ScheduleBody), tags=tags)(add_schedule))
    routes.get("/<schedule_id>")(spec.validate(resp=shown, operation_id="show_schedule", tags=tags)(show_schedule))
    changed = answered(400, 403, 404, 409, 413, 415, 503, HTTP_200=ScheduleAnswer)
    for verb, view in (("pause", pause_schedule), ("resume", resume_schedule)):
        routes.post(f"/<schedule_id>/{verb}")(
            spec.validate(json=EmptyBody, resp=changed, operation_id=f"{verb}_schedule", before=refusing(EmptyBody), tags=tags)(
                view
            )
        )
    gone = answered(403, 404, 503, HTTP_204=None)
    routes.delete("/<schedule_id>")(spec.validate(resp=gone, operation_id="remove_schedule", tags=tags)(remove_schedule))
    return routes


def list_schedules() -> ScheduleList:
    """List every schedule with its next due time and what came of the last."""
    return ScheduleList(schedules=schedule_answers(services()))


def add_schedule(json: ScheduleBody) -> tuple[ScheduleAnswer, int, dict[str, str]]:
    """Add a schedule; its request is checked as that of a job is."""
    here, now = services(), datetime.now(UTC)
    wanted = of_the_caller(json.request.to_request())
    _check(here, wanted, now)
    schedule = Schedule(
        schedule_id=token_hex(5),
        name=json.name,
        cron=" ".join(json.cron.split()),
        timezone=json.timezone,
        request=wanted,
        created_at=now,
        due_at=first_due(json.cron, json.timezone, now),
        is_paused=json.is_paused,
        client=caller().caller_id,
    )
    here.store.schedules.add(schedule, here.settings.allowance)
    audit.note(schedule_id=schedule.schedule_id)
    log.info("schedule added", schedule_id=schedule.schedule_id, name=schedule.name)
    answer = schedule_answer(here, schedule)
    return answer, 201, {"Location": answer.links["self"]}


def show_schedule(schedule_id: str) -> ScheduleAnswer:
    """Show a schedule."""
    here = services()
    return schedule_answer(here, visible_schedule(here, schedule_id))


def pause_schedule(schedule_id: str) -> ScheduleAnswer:
    """Let a schedule rest until it is resumed."""
    return _changed(schedule_id, paused)


def resume_schedule(schedule_id: str) -> ScheduleAnswer:
    """Let a schedule go on, from its next due time after now."""
    now = datetime.now(UTC)
    return _changed(schedule_id, lambda schedule: resumed(schedule, now))


def remove_schedule(schedule_id: str) -> Response:
    """Remove a schedule; the jobs that it made stay."""
    here = services()
    here.store.schedules.remove(visible_schedule(here, schedule_id).schedule_id)
    return Response(status=204)


def _changed(schedule_id: str, change: Callable[[Schedule], Schedule]) -> ScheduleAnswer:
    """The schedule, changed; the reaper may change it at the same time, so it is looked at again."""
    here = services()
    for _ in range(TRIES):
        known = visible_schedule(here, schedule_id)
        new = change(known)
        if here.store.schedules.replace(known, new):
            return schedule_answer(here, new)
    raise ChangedMeanwhile("try again")


def _check(here: Services, wanted: JobRequest, now: datetime) -> None:
    """What a job is refused for, but that the models may be unknown for now: when it is due somebody may know them."""
    check_places(wanted, here.settings)
    check_times(wanted, now)
    try:
        cards = here.run_state.catalogue.cards()
    except BrokerAway:
        cards = None
    if cards is not None:
        check_models(wanted, cards)
