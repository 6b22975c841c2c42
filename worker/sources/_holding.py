"""Samples that are taken when something changes: a value holds until the next one, over the borders of buckets."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.timegrid import TimeGrid
from worker.prepare.step_times import step_times

MAX_HOLD = timedelta(days=1)  # after the newest sample: a queue that says nothing for longer is gone

Numbers = NDArray[np.float64]


def time_weighted(samples: pd.DataFrame, *, start: datetime, end: datetime, grid: TimeGrid) -> pd.DataFrame:
    """The mean of each bucket of [start, end), each value weighted by how long it held there.

    Args:
        samples: as `resample` takes them; those before `start` count for what still held then.
    """
    if samples.empty:
        return samples
    seconds = _seconds(pd.DatetimeIndex(samples.index))
    first = max(start, grid.bucket_start(samples.index[0].to_pydatetime()))
    last = min(end, grid.step_start(grid.bucket_start(samples.index[-1].to_pydatetime() + MAX_HOLD), 2))
    times = step_times(grid, first, grid.steps_between(first, last) + 1)
    borders = _seconds(times)
    columns = {name: _column(seconds, samples[name].to_numpy(dtype=np.float64), borders) for name in samples.columns}
    steps: pd.DataFrame = pd.DataFrame(columns, index=times[:-1]).dropna(how="all")
    return steps


def _seconds(times: pd.DatetimeIndex) -> Numbers:
    return times.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[ns]").view(np.int64) / 1e9


def _column(times: Numbers, values: Numbers, borders: Numbers) -> Numbers:
    """One value per bucket, NaN where nothing is known."""
    known = np.isfinite(values)
    times, values = times[known], values[known]
    if not len(times):
        return np.full(len(borders) - 1, np.nan)
    ends = min(borders[-1], times[-1] + MAX_HOLD.total_seconds())
    grid = np.unique(np.concatenate([times, borders, [ends]]))
    grid = grid[(grid >= max(times[0], borders[0])) & (grid <= ends)]
    held = values[np.searchsorted(times, grid[:-1], side="right") - 1]
    lengths = np.diff(grid)
    buckets = np.searchsorted(borders, grid[:-1], side="right") - 1
    sums, weights = (np.bincount(buckets, weights=parts, minlength=len(borders) - 1) for parts in (held * lengths, lengths))
    with np.errstate(invalid="ignore"):
        means: Numbers = np.where(weights > 0, sums / np.where(weights > 0, weights, 1), np.nan)
    return means
