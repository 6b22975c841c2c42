"""Schedules as code: what is to be done so that a project's schedules are those of a file.

    name, project ──▶ the schedule that has both ──▶ none: added · unlike: changed · alike: unchanged · not in the file: removed

Only what an earlier file of the same set has made is removed, only where that is asked for, and only in projects that the file
names: two projects may have called their sets alike, as all do that say none. Names that look the same are the same.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from pydantic import JsonValue

from shared.domain.codec import to_json, to_said
from shared.domain.identifiers import alike, first_of
from shared.domain.schedules import Schedule, paused, resumed
from shared.errors import InvalidRequest

OF_ITS_OWN = frozenset({"schedule_id", "created_at", "client", "due_at", "is_paused"})  # and what came of its due times
TOLD_BESIDE = frozenset({"name", "managed_by"})  # of a whole schedule
MAX_NAMED = 10  # projects in a message
Key = tuple[str, str]  # project and name


class Action(StrEnum):
    """What becomes of one thing."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    LEFT = "left"  # it is of this set and not in the file, which names no schedule of its project


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One value that becomes another; None = there is none."""

    field: str
    before: JsonValue
    after: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A schedule as a file has it. `is_paused`: None = as it is."""

    schedule: Schedule
    is_paused: bool | None = None

    @property
    def key(self) -> Key:
        """What it is known by."""
        return key_of(self.schedule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What becomes of one schedule: as it is now, None = not there, and as it will be, or as it is where it goes."""

    action: Action
    schedule: Schedule
    before: Schedule | None = None

    def changes(self) -> list[FieldChange]:
        """Field by field, with dots where a field holds others; of an added one those that are not at their defaults."""
        if self.before is None:
            return [*_said(self.schedule)] if self.action is Action.ADDED else []
        before, after = _flat(self.before), _flat(self.schedule)
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        return [FieldChange(field=name, before=before.get(name), after=after.get(name)) for name in names]


def key_of(schedule: Schedule) -> Key:
    """What a schedule of a file is known by: its project and its name."""
    return schedule.request.project, alike(schedule.name)


def id_of(key: Key) -> str:
    """The id of a schedule that a file adds: always the same, so that two that add it at once add one."""
    return sha256(json.dumps(key).encode()).hexdigest()[:20]


def steps_to(known: Iterable[Schedule], wanted: Collection[Wanted], set_name: str, now: datetime, *, prune: bool) -> list[Step]:
    """What is to be done, in the order of the file; raises InvalidRequest with all that is in the way."""
    by_key: dict[Key, list[Schedule]] = defaultdict(list)
    for schedule in known:
        by_key[key_of(schedule)].append(schedule)
    if problems := [*_repeated(wanted), *_ambiguous(by_key, wanted, set_name)]:
        raise InvalidRequest("; ".join(problems))
    steps = [_step(next(iter(by_key[each.key]), None), each, now) for each in wanted]
    keys = {each.key for each in wanted}
    gone = [each for key, those in by_key.items() for each in those if key not in keys and each.managed_by == set_name]
    return steps + ([*_pruned(gone, {project for project, _ in keys}, set_name)] if prune else [])


def _pruned(gone: Collection[Schedule], projects: Collection[str], set_name: str) -> Iterator[Step]:
    """What becomes of those that are not in the file any more; raises InvalidRequest where it does not say whose are meant."""
    theirs = sorted({each.request.project for each in gone})
    if not projects and len(theirs) > 1:
        raise InvalidRequest(
            f"the set {set_name!r} is one of several projects ({first_of(theirs, MAX_NAMED, say=repr)}), and no schedule says "
            "whose are to go; `queuecast schedules remove` takes them away one by one"
        )
    for schedule in gone:
        is_ours = schedule.request.project in (projects or theirs)
        yield Step(action=Action.REMOVED if is_ours else Action.LEFT, schedule=schedule)


def revised(schedule: Schedule, wanted: Wanted, now: datetime) -> Schedule:
    """The schedule as it is wanted; what came of its due times stays, and whose it is."""
    names = [each.name for each in fields(Schedule) if each.name not in OF_ITS_OWN and not each.name.startswith("last_")]
    new = replace(schedule, **{name: getattr(wanted.schedule, name) for name in names})
    times = [name for name in names if name.endswith("cron") or name == "timezone"]
    if any(getattr(new, name) != getattr(schedule, name) for name in times):
        new = replace(new, due_at=wanted.schedule.due_at)
    if wanted.is_paused is None or wanted.is_paused == new.is_paused:
        return new
    return paused(new) if wanted.is_paused else resumed(new, now)


def _step(known: Schedule | None, wanted: Wanted, now: datetime) -> Step:
    if known is None:
        return Step(action=Action.ADDED, schedule=wanted.schedule)
    after = revised(known, wanted, now)
    return Step(action=Action.UNCHANGED if after == known else Action.CHANGED, schedule=after, before=known)


def _repeated(wanted: Iterable[Wanted]) -> Iterator[str]:
    keys = [each.key for each in wanted]
    for key in dict.fromkeys(keys):
        if keys.count(key) > 1:
            yield f"{named(key)} stands there {keys.count(key)} times; a name is known once in a project"


def _ambiguous(by_key: Mapping[Key, list[Schedule]], wanted: Iterable[Wanted], set_name: str) -> Iterator[str]:
    for key in dict.fromkeys(each.key for each in wanted):
        known = by_key.get(key, [])
        if len(known) > 1:
            ids = ", ".join(each.schedule_id for each in known)
            yield f"{named(key)} is the name of several ({ids}); remove all but one, by `queuecast schedules remove`"
        elif known and known[0].managed_by not in {"", set_name}:
            yield f"{named(key)} belongs to the set {known[0].managed_by!r}, and this is {set_name!r}"


def named(key: Key) -> str:
    """A schedule's name for people."""
    project, name = key
    return f"schedule {name!r}" + (f" of project {project!r}" if project else "")


def _said(schedule: Schedule) -> Iterator[FieldChange]:
    said = {name: value for name, value in to_said(schedule).items() if name not in OF_ITS_OWN - {"is_paused"} | TOLD_BESIDE}
    return (FieldChange(field=name, before=None, after=value) for name, value in _leaves(said, ""))


def _flat(schedule: Schedule) -> dict[str, JsonValue]:
    document = json.loads(to_json(schedule))
    return dict(_leaves({name: value for name, value in document.items() if name != "due_at"}, ""))


def _leaves(value: JsonValue, at: str) -> Iterator[tuple[str, JsonValue]]:
    if not isinstance(value, dict) or not value:
        yield at, value
        return
    for name, inner in value.items():
        yield from _leaves(inner, f"{at}.{name}" if at else name)
