"""`_issued` of an earlier release had `step` as tag and as field, which version 3 refuses: the field goes, nothing else.

    copy to NAME_migrating ──▶ check the number of points ──▶ empty NAME ──▶ copy back ──▶ check ──▶ empty NAME_migrating

Each step may be repeated, and what is to be done is told by what is there: whoever is killed is carried on by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from shared.errors import SinkRefused
from worker.sinks._influx_place import Measurement, Policy

STEP = "step"
MAX_POINTS = 10_000  # of one question and one write; an answer has no more of a series
WEEK_SECONDS, MIN_SECONDS = 604_800, 60

Tell = Callable[[str], None]


def twice_stepped(issued: Measurement) -> int:
    """How many points are to be rewritten; 0 = `step` is a tag only, and no rewriting was begun."""
    return _count(issued) if _has_steps(issued) else _count(_beside(issued))


def rewrite_steps(issued: Measurement, tell: Tell) -> None:
    """Take the field `step` from every point; raises SinkRefused when points are missing in a copy, with nothing deleted."""
    beside = _beside(issued)
    if _has_steps(issued):
        _copy(issued, beside, tell)
        issued.empty()
    _copy(beside, issued, tell)
    beside.empty()


def _has_steps(issued: Measurement) -> bool:
    """By its points: the name of a field may outlive them."""
    return STEP in issued.kinds() and any(issued.count(policy, field=STEP) for policy in issued.policies())


def _beside(issued: Measurement) -> Measurement:
    return replace(issued, name=f"{issued.name}_migrating")


def _copy(here: Measurement, there: Measurement, tell: Tell) -> None:
    """All points, and then a look at how many have arrived."""
    kinds = {name: kind for name, kind in here.kinds().items() if name != STEP}
    copied = 0
    for policy in here.policies():
        for inside in _windows(here, policy):
            rows = list(here.rows(kinds, policy, inside))
            there.write(rows, policy)
            copied += len(rows)
            tell(f"{here.name}: {copied:,} points copied to {there.name}")
        found, expected = there.count(policy), here.count(policy)
        if found < expected:
            raise SinkRefused(f"{there.name} has {found:,} of the {expected:,} points of {here.name}, which stays as it is")


def _windows(here: Measurement, policy: Policy) -> Iterator[str]:
    """The conditions of one part after the other, each of few points."""
    ends = here.ends(policy)
    if ends is None:
        return
    first, last = ends
    for start in range(first, last + 1, WEEK_SECONDS):
        yield from _parts(here, policy, start, min(start + WEEK_SECONDS, last + 1))


def _parts(here: Measurement, policy: Policy, start: int, end: int) -> Iterator[str]:
    inside = f"time >= {start}s AND time < {end}s"
    count = here.count(policy, inside)
    if count <= MAX_POINTS or end - start <= MIN_SECONDS:
        if count:
            yield inside
        return
    middle = (start + end) // 2
    yield from _parts(here, policy, start, middle)
    yield from _parts(here, policy, middle, end)


def _count(measurement: Measurement) -> int:
    return sum(measurement.count(policy) for policy in measurement.policies())
