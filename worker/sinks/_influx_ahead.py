"""What lies ahead of the points without the tags `project` and `cluster` gets those that its job's next forecasts will have.

First they are written with the tags, then the ones without are deleted: killed between, the next one finds what is there already.
A step that a newer forecast has under the tags stays that forecast's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from worker.sinks._influx_place import Measurement, Policy, Row, Tags

NAME = ("job", "metric", "queue")
WITHOUT = {"project": "", "cluster": ""}
OwnersOf = Callable[[Tags, int | None], list[Tags]]  # job, metric and queue, and an issue time → whose it may be, as tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The points of one queue that lie ahead without tags. `tags`: those that they get, None = of each issue its own."""

    name: Tags
    points: int
    tags: Tags | None = None
    stays: str = ""  # why they stay as they are, in words


def untagged(measurement: Measurement, since: int, owners_of: OwnersOf) -> list[Found]:
    """What lies ahead of this moment, by queue."""
    counts: dict[tuple[str, ...], int] = {}
    for policy in measurement.policies():
        groups = measurement.select('count("prediction")', policy, f"time >= {since}s", WITHOUT, by=", ".join(NAME))
        for series in groups:
            key = tuple(series.tags[name] for name in NAME)
            counts[key] = counts.get(key, 0) + sum(int(row[1]) for row in series.rows)
    return [_found(dict(zip(NAME, key, strict=True)), count, owners_of) for key, count in sorted(counts.items())]


def give_tags(measurement: Measurement, found: Found, since: int, owners_of: OwnersOf) -> int:
    """Write the points of a queue with their tags, delete those without; how many stay, as it is not known whose they are.

    Raises SinkRefused when the server takes no DELETE, with everything written.
    """
    kinds, ahead, without = _kinds(measurement), f"time >= {since}s", {**found.name, **WITHOUT}
    moved, left = set[Place](), list[Row]()
    for policy in measurement.policies():
        by_owner: dict[tuple[tuple[str, str], ...], list[Row]] = {}
        for row in measurement.rows(kinds, policy, ahead, without):
            owner = found.tags or _owner(found.name, _issue(row), owners_of)
            by_owner.setdefault(tuple(owner.items()), []).append(row)
        left += by_owner.pop((), [])
        for tags, rows in by_owner.items():
            _write(measurement, policy, rows, without | dict(tags), ahead)
            moved |= {_place(row) for row in rows}
    if left:
        for step, time in moved - {_place(row) for row in left}:
            measurement.delete(f"time = {time}s", without | {"step": step} if step else without)
    else:
        measurement.delete(ahead, without)
    return len(left)


Place = tuple[str, int]  # the tag `step`, where there is one, and the time


def _place(row: Row) -> Place:
    return row.tags.get("step", ""), row.time


def _kinds(measurement: Measurement) -> dict[str, str]:
    """In `_issued` the step is a tag."""
    is_issued = measurement.name.endswith("_issued")
    return {name: kind for name, kind in measurement.kinds().items() if not (is_issued and name == "step")}


def _found(name: Tags, points: int, owners_of: OwnersOf) -> Found:
    owners = owners_of(name, None)
    if not owners:
        return Found(name=name, points=points, stays="no forecast of it is kept in the store, which would say whose it is")
    if owners == [{}]:
        return Found(name=name, points=points, stays="its job names neither project nor cluster")
    return Found(name=name, points=points, tags=owners[0] if len(owners) == 1 else None)


def _owner(name: Tags, issued_at: int, owners_of: OwnersOf) -> Tags:
    owners = owners_of(name, issued_at)
    return owners[0] if len(owners) == 1 else {}


def _write(measurement: Measurement, policy: Policy, rows: Sequence[Row], own: Tags, ahead: str) -> None:
    """All but those whose place is taken: by the same step, or by anything that was issued later."""
    taken = {_place(row) for row in measurement.rows({"issued_at": "integer"}, policy, ahead, own)}
    newest = 0
    if not measurement.name.endswith("_issued"):
        answer = measurement.select('max("issued_at")', policy, f"time >= {min(map(_issue, rows))}s", own)
        newest = max((int(row[1]) for series in answer for row in series.rows), default=0)
    fresh = [row for row in rows if _place(row) not in taken and _issue(row) >= newest]
    given = {name: tag for name, tag in own.items() if tag}
    measurement.write([replace(row, tags={**row.tags, **given}) for row in fresh], policy)


def _issue(row: Row) -> int:
    """When it was issued; points of somebody else say nothing."""
    return int(row.values.get("issued_at", 0))
