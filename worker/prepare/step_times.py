"""Where the steps of a time grid begin and end, for many moments at once."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from shared.domain.timegrid import TimeGrid

NANOSECONDS = 1_000_000_000


def step_times(grid: TimeGrid, start: datetime, steps: int) -> pd.DatetimeIndex:
    """Starts of so many steps from the one that begins at `start` on; UTC."""
    if grid.zone is not None:
        return pd.DatetimeIndex(grid.step_starts(start, steps)).as_unit("ns").tz_convert("UTC")
    return pd.date_range(start, periods=steps, freq=pd.Timedelta(seconds=grid.step_seconds), unit="ns").tz_convert("UTC")


def starts_of(grid: TimeGrid, moments: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """For each moment (UTC) the start of the step that holds it."""
    if grid.zone is None or moments.empty:
        at = np.asarray(moments, dtype="datetime64[ns]").view(np.int64)
        starts = pd.DatetimeIndex((at - at % (grid.step_seconds * NANOSECONDS)).view("datetime64[ns]"), name=moments.name)
        return starts.tz_localize(moments.tz)  # what `floor` gives, without its detour over the zone
    borders = _borders(grid, moments)
    return borders[borders.searchsorted(moments, side="right") - 1]


def ends_of(grid: TimeGrid, moments: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """For each moment (UTC) the end of the step that holds it."""
    if grid.zone is None or moments.empty:
        return starts_of(grid, moments) + pd.Timedelta(seconds=grid.step_seconds)
    borders = _borders(grid, moments)
    return borders[borders.searchsorted(moments, side="right")]


def _borders(grid: TimeGrid, moments: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """From the start of the step of the first moment to the end of that of the last."""
    first, last = (grid.bucket_start(moment.to_pydatetime()) for moment in (moments.min(), moments.max()))
    return step_times(grid, first, grid.steps_between(first, last) + 2)
