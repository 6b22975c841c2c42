"""The steps of a series as clocks and calendars have them: the same for every series of these steps, so it is made once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import NamedTuple

import pandas as pd

from shared.domain.forecasts import ForecastSpec
from shared.domain.occasions import Event, Holidays
from shared.domain.timegrid import TimeGrid
from worker.prepare.calendar import Dates, calendar_features, holidays_between
from worker.prepare.occasions import Occasions, occasions_of
from worker.prepare.step_times import step_times
from worker.prepare.wall_clock import WallClock, wall_clock

MAX_KEPT = 24  # cutoffs: of the folds and the forecast of two kinds of jobs
MAX_KEPT_STEPS = 5_000  # more of them would be held in every process for hours


@dataclass(frozen=True, slots=True)
class Timeline:
    """Steps of UTC, the wall clock beside them, and on it dates, occasions and calendar features. Nobody changes any of it."""

    every: pd.DatetimeIndex
    clock: WallClock
    dates: Dates
    occasions: Occasions
    calendar: Callable[[], pd.DataFrame]


def timeline(grid: TimeGrid, start_at: datetime, steps: int, spec: ForecastSpec) -> Timeline:
    """Of so many steps from `start_at` on; raises InvalidRequest for an unknown time zone or country."""
    make = _kept if steps <= MAX_KEPT_STEPS else _made
    return make(grid, start_at, steps, _Marks(spec.timezone, spec.step_seconds, spec.holidays, spec.events))


class _Marks(NamedTuple):
    """What a request says of clocks and calendars."""

    timezone: str
    step_seconds: int
    holidays: Holidays | None
    events: tuple[Event, ...]


def _made(grid: TimeGrid, start_at: datetime, steps: int, marks: _Marks) -> Timeline:
    every = step_times(grid, start_at, steps)
    clock = wall_clock(every, marks.timezone, marks.step_seconds)
    days = holidays_between(clock.times, marks.holidays)
    occasions = occasions_of(clock.times, marks.step_seconds, marks.timezone, holidays=days, events=marks.events)
    return Timeline(every, clock, Dates.of(clock.times), occasions, cache(lambda: calendar_features(clock.times, days)))


_kept = lru_cache(maxsize=MAX_KEPT)(_made)
