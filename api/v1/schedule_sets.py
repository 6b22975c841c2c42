"""Schedules as code: all of a file at once, so that all of it is checked before any of it is written.

Whoever applies a file again finds what is left to do, wherever it broke off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import structlog
from pydantic import Field, JsonValue

from api.edge import audit
from api.edge.context import Services
from api.edge.document import Answers
from api.edge.identity import caller
from api.edge.policy import WRITE
from api.edge.routing import route
from api.schema.answers import Answer
from api.schema.fields import Flag, Label
from api.schema.forms import Form
from api.schema.sizes import Size
from api.v1.admission import refusals
from api.v1.asked import asked
from api.v1.schedules import TRIES, ScheduleBody, schedule_of
from shared.domain.codec import from_json, to_json
from shared.domain.schedule_sets import Action, Step, Wanted, id_of, key_of, named, revised, steps_to
from shared.domain.schedules import Schedule
from shared.domain.texts import Text
from shared.errors import BrokerAway, ChangedMeanwhile, InvalidRequest, RequestError, ScheduleNotFound
from shared.store.schedules import SCHEDULES

MAX_SCHEDULES = 1_000
MAX_TOLD = 20  # problems of one file
SetName = Annotated[str, Text("[a-z0-9][a-z0-9_-]*", 60, "small letters, digits, - and _")]

log = structlog.get_logger()


class SetScheduleBody(ScheduleBody):
    """One schedule of a file."""

    is_paused: Flag | None = Field(None, description="null = as it is, and a new one is not paused")  # type: ignore[assignment]


class SetBody(Form):
    """The schedules of a file."""

    managed_by: SetName = Field("default", description="the set that they belong to; another set's are refused")
    schedules: Annotated[tuple[SetScheduleBody, ...], Size(MAX_SCHEDULES)]
    prune: Flag = Field(False, description="remove what was made for this set before and is not named now, in projects that are")
    dry_run: Flag = Field(False, description="only say what would be done")
    coming: Annotated[tuple[Label, ...], Size(MAX_SCHEDULES)] = Field(
        (), description="of a dry run: connections that will be there by then; requests that name one are not checked further"
    )


class FieldAnswer(Answer):
    """One value that becomes another."""

    field: str
    before: JsonValue
    after: JsonValue


class StepAnswer(Answer):
    """What becomes of one schedule."""

    action: Action
    name: str
    project: str
    schedule_id: str | None = Field(description="null: of one that a dry run would add")
    changes: list[FieldAnswer] = Field(description="field by field; of one that is added what is not at its default")


class SetAnswer(Answer):
    """What was done, or would be."""

    managed_by: str
    dry_run: bool
    schedules: list[StepAnswer]


@route("POST", "/v1/schedules/apply", WRITE, Answers(SetAnswer, refuses=(409,)))
def apply_schedules(services: Services, json: SetBody) -> SetAnswer:
    """Make a set of schedules what is given. All of it is checked before any is written; the same again does nothing."""
    now = datetime.now(UTC)
    wanted = [_wanted(services, body, json.managed_by, now) for body in json.schedules]
    steps = steps_to(services.store.schedules.all(caller().projects), wanted, json.managed_by, now, prune=json.prune)
    _check(services, steps, set(json.coming) if json.dry_run else set(), now)
    if not json.dry_run:
        _carry_out(services, steps, {each.key: each for each in wanted}, now)
    counts = Counter(step.action.value for step in steps)
    audit.note(managed_by=json.managed_by, dry_run=json.dry_run, **counts)
    return SetAnswer(
        managed_by=json.managed_by, dry_run=json.dry_run, schedules=[_answer(step, dry_run=json.dry_run) for step in steps]
    )


def _wanted(services: Services, body: SetScheduleBody, set_name: str, now: datetime) -> Wanted:
    request = asked(services, body.request)
    try:
        schedule = schedule_of(body, from_json(type(request), to_json(request)), now)  # as the store gives it back
    except InvalidRequest as error:
        raise InvalidRequest(f"{named((request.project, body.name))}: {error.detail}", **error.ids) from error
    wanted = replace(schedule, schedule_id=id_of(key_of(schedule)), managed_by=set_name)
    return Wanted(schedule=wanted, is_paused=body.is_paused)


def _check(services: Services, steps: Iterable[Step], coming: set[str], now: datetime) -> None:
    """Raises InvalidRequest with what is wrong with the requests, AllowanceUsedUp where there is no room for all."""
    added = [step.schedule for step in steps if step.action is Action.ADDED]
    changed = [step.schedule for step in steps if step.before and step.before.request != step.schedule.request]
    found = (problem for schedule in (*added, *changed) for problem in _problems(services, schedule, coming, now))
    if problems := list(dict.fromkeys(found)):
        more = [f"and {len(problems) - MAX_TOLD} more problems"] if len(problems) > MAX_TOLD else []
        raise InvalidRequest("; ".join([*problems[:MAX_TOLD], *more]))
    room = Counter(schedule.account for schedule in services.store.schedules.all())
    for schedule in added:
        services.settings.allowance.check_schedules(schedule.account, room[schedule.account])
        room[schedule.account] += 1


def _problems(services: Services, schedule: Schedule, coming: set[str], now: datetime) -> Iterator[str]:
    request = schedule.request
    places = {place.name for place in (*request.data.sources, request.data.destination)}
    if coming & {*places, *(file.name for file in request.event_files)}:
        return
    with services.outages.noted(BrokerAway):  # then the models are not known; when it is due, planning checks them
        for refusal in refusals(services, request, now):
            yield f"{named(key_of(schedule))}: {_told(refusal)}"


def _told(refusal: RequestError) -> str:
    field = refusal.ids.get("field")
    return f"request.{field}: {refusal}" if field else str(refusal)


def _carry_out(services: Services, steps: Iterable[Step], wanted: dict[tuple[str, str], Wanted], now: datetime) -> None:
    schedules = services.store.schedules
    for step in steps:
        about = {"schedule_id": step.schedule.schedule_id, "name": step.schedule.name}
        match step.action:
            case Action.UNCHANGED | Action.LEFT:
                continue
            case Action.ADDED | Action.CHANGED:
                if step.action is Action.ADDED:
                    schedules.add(step.schedule, services.settings.allowance)
                _change(services, step.schedule.schedule_id, wanted[key_of(step.schedule)], now)
            case Action.REMOVED:
                schedules.remove(step.schedule.schedule_id)
        log.info("schedule applied", action=step.action.value, **about)


def _change(services: Services, schedule_id: str, wanted: Wanted, now: datetime) -> None:
    """Make it so, also where somebody else has added it first; the reaper may change it meanwhile, so it is looked at again."""
    for _ in range(TRIES):
        with suppress(ScheduleNotFound):
            known = services.store.get(SCHEDULES, schedule_id)
            if key_of(known) != wanted.key or known.managed_by not in {"", wanted.schedule.managed_by}:
                break
            new = revised(known, wanted, now)
            if new == known or services.store.schedules.replace(known, new):
                return
    raise ChangedMeanwhile("try again")


def _answer(step: Step, *, dry_run: bool) -> StepAnswer:
    schedule = step.schedule
    is_made = step.action is not Action.ADDED or not dry_run
    return StepAnswer(
        action=step.action,
        name=schedule.name,
        project=schedule.request.project,
        schedule_id=schedule.schedule_id if is_made else None,
        changes=[FieldAnswer.showing(change) for change in step.changes()],
    )
