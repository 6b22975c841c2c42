"""The steps of a history as a clock on the wall counts them: a daily season is one of people, and they follow that clock.

Steps are of UTC; where summer time begins or ends, so many of them are no day:

    29 March 2026, Europe/Berlin                        25 October 2026
    UTC steps     00   01   02                          UTC steps     00   01   02
                   │    └────┐└────┐                                   └──┐ │  ┌─┘
    on the wall   01   02   03   04                     on the wall      02   03
                        ▲ no step: as the day before                     ▲ two steps: their mean, forecast twice

In a zone without such changes, and where a change is no multiple of the step, both are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.timegrid import SECONDS_PER_DAY, TimeGrid
from shared.errors import InvalidRequest
from worker.prepare.gaps import gap_runs

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]


@dataclass(frozen=True, slots=True, kw_only=True)
class WallClock:
    """Which step on the wall each step of UTC is.

    times: readings of all steps on the wall, without a zone, sorted; regular where changes of clocks are multiples of the step.
    places: shape (n,): for each step of UTC its place in `times`. is_regular: whether that is the step's own, for all of them.
    """

    times: pd.DatetimeIndex
    places: IntArray
    step_seconds: int
    is_regular: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_regular", np.array_equal(self.places, np.arange(len(self.places))))  # asked for each fold

    def known(self, steps: int) -> int:
        """How many steps on the wall have begun within the first `steps` steps of UTC."""
        return int(self.places[:steps].max()) + 1

    def on_the_wall(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The first steps of UTC as those on the wall: index = readings, NaN where there is no value.

        Two steps of one reading become their mean. A reading that never was has the value of the day before, within the first
        day that of a straight line.
        """
        if self.is_regular:
            return frame.set_axis(self.times[: len(frame)])
        places, known = self.places[: len(frame)], self.known(len(frame))
        never = np.bincount(places, minlength=known) == 0
        columns = {name: self._column(frame[name].to_numpy(dtype=np.float64), places, never) for name in map(str, frame.columns)}
        return pd.DataFrame(columns, index=self.times[:known])

    def _column(self, values: FloatArray, places: IntArray, never: NDArray[np.bool_]) -> FloatArray:
        has = np.isfinite(values)
        counts = np.bincount(places[has], minlength=len(never))
        sums = np.bincount(places[has], weights=values[has], minlength=len(never))
        column: FloatArray = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        per_day = SECONDS_PER_DAY // self.step_seconds
        for first, end in gap_runs(never):
            if first >= per_day:
                column[first:end] = column[first - per_day : end - per_day]
            else:
                column[first:end] = np.linspace(column[first - 1], column[end], end - first + 2)[1:-1]
        return column


def wall_clock(times: pd.DatetimeIndex, timezone: str, step_seconds: int) -> WallClock:
    """The steps that begin at these times as the wall of the time zone shows them.

    Args:
        times: tz-aware, regular, at least one.
        timezone: an IANA name; raises InvalidRequest for others.
    """
    local = times.tz_convert(_zone(timezone)).tz_localize(None)
    if TimeGrid(step_seconds, timezone).zone is not None:
        local = local.normalize()  # where clocks are changed at midnight, a day begins at one
    since = np.asarray((local - local.min()) // pd.Timedelta(seconds=1), dtype=np.int_)
    if (since % step_seconds).any():
        return WallClock(times=local, places=np.arange(len(local)), step_seconds=step_seconds)
    places = since // step_seconds
    regular = pd.date_range(local.min(), periods=int(places.max()) + 1, freq=pd.Timedelta(seconds=step_seconds), unit="ns")
    return WallClock(times=regular, places=places, step_seconds=step_seconds)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:  # ValueError: a name that would be a path
        raise InvalidRequest(
            f'found {name!r}, accepted is an IANA name such as "UTC" or "Europe/Berlin"', field="timezone"
        ) from error
