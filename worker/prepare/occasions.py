"""Holidays and events as runs of steps on the wall clock.

steps      0    1    2    3    4    5    6    7    8
occasion             ├──── a visit ──┤                    09:20 to 12:10: steps that are at least half in it
age                  0    1    2                          by which occasions of a kind are compared, step by step
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import floor

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.occasions import HOLIDAY, Event, Excluded
from shared.domain.timegrid import TimeGrid
from worker.prepare.calendar import SATURDAY
from worker.prepare.step_times import ends_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One occurrence, [first, end) in steps; it may begin before the first step, or end after the last."""

    kind: str
    name: str
    day: date  # on which it begins
    first: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasions:
    """All of a series. owner: shape (steps,): the index of the occasion that a step belongs to, −1 = it is ordinary."""

    all: tuple[Occasion, ...]
    owner: NDArray[np.int_]

    def steps_of(self, index: int, end: int) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
        """The steps before `end` that belong to an occasion, and their ages."""
        steps = np.flatnonzero(self.owner[:end] == index)
        return steps, steps - self.all[index].first


def occasions_of(
    times: pd.DatetimeIndex, step_seconds: int, timezone: str, *, holidays: Mapping[date, str], events: Iterable[Event]
) -> Occasions:
    """The occasions between the first and the last step.

    A step within several belongs to the shortest of them: a visit on a holiday is a visit.

    Args:
        times: starts of steps on the wall clock.
        timezone: of that clock.
        holidays: day → name.
        events: in UTC.
    """
    step = pd.Timedelta(seconds=step_seconds)
    days = ((_kind(day), name, pd.Timestamp(day), pd.Timestamp(day) + pd.Timedelta(days=1)) for day, name in holidays.items())
    others = ((each.kind or each.name, each.name, _wall(each.start, timezone), _wall(each.end, timezone)) for each in events)
    found = [
        Occasion(kind=kind, name=name, day=start.date(), **_run((start - times[0]) / step, (end - times[0]) / step))
        for kind, name, start, end in (*days, *others)
    ]
    inside = sorted((each for each in found if each.end > 0 and each.first < len(times)), key=lambda each: each.first)
    owner = np.full(len(times), -1)
    for index in _longest_first(inside):
        owner[max(0, inside[index].first) : inside[index].end] = index
    return Occasions(all=tuple(inside), owner=owner)


def excluded_steps(times: pd.DatetimeIndex, grid: TimeGrid, exclude: Iterable[Excluded]) -> NDArray[np.bool_]:
    """Which of the steps that begin at these times lie, with any part of them, within a time that is known to be bad."""
    inside = np.zeros(len(times), dtype=np.bool_)
    for each in exclude:
        ends = ends_of(grid, times)
        inside |= np.asarray((times < pd.Timestamp(each.end)) & (ends > pd.Timestamp(each.start)))
    return inside


def _kind(holiday: date) -> str:
    """Of a holiday: on a weekend it does little, and would tell little of what it does on a working day."""
    return HOLIDAY if holiday.weekday() < SATURDAY else f"{HOLIDAY} on a weekend"


def _longest_first(occasions: Sequence[Occasion]) -> list[int]:
    return sorted(range(len(occasions)), key=lambda index: occasions[index].first - occasions[index].end)


def _run(start: float, end: float) -> dict[str, int]:
    """The steps that are at least half between these places; where there are none, the one that the start lies in."""
    first, last = floor(start + 0.5), floor(end + 0.5)
    return {"first": first, "end": last} if first < last else {"first": floor(start), "end": floor(start) + 1}


def _wall(moment: datetime, timezone: str) -> pd.Timestamp:
    return pd.Timestamp(moment).tz_convert(timezone).tz_localize(None)
