"""Samples that are taken when something changes: a value holds until the next one, over the borders of buckets."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.timegrid import to_epoch

MAX_HOLD = timedelta(days=1)  # after the newest sample: a queue that says nothing for longer is gone

Numbers = NDArray[np.float64]


def time_weighted(samples: pd.DataFrame, *, start: datetime, end: datetime, step_seconds: int) -> pd.DataFrame:
    """The mean of each bucket of [start, end), each value weighted by how long it held there.

    Args:
        samples: as `resample` takes them; those before `start` count for what still held then.
    """
    if samples.empty:
        return samples
    seconds = pd.DatetimeIndex(samples.index).tz_convert("UTC").tz_localize(None).to_numpy("datetime64[ns]").view(np.int64) / 1e9
    first = max(to_epoch(start), seconds[0] // step_seconds * step_seconds)
    last = min(to_epoch(end), (seconds[-1] + MAX_HOLD.total_seconds()) // step_seconds * step_seconds + step_seconds)
    borders = np.arange(first, last + step_seconds / 2, step_seconds, dtype=np.float64)
    columns = {name: _column(seconds, samples[name].to_numpy(dtype=np.float64), borders) for name in samples.columns}
    index = pd.DatetimeIndex(pd.to_datetime(borders[:-1], unit="s", utc=True))
    steps: pd.DataFrame = pd.DataFrame(columns, index=index).dropna(how="all")
    return steps


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
