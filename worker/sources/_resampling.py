"""Raw samples into whole steps, for sources that cannot do it where the data lie; also the oracle of those that can."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.samples import Aggregation
from shared.domain.timegrid import TimeGrid
from worker.prepare.step_times import starts_of
from worker.sources._holding import time_weighted

P95 = 95  # per cent


def resample(samples: pd.DataFrame, *, start: datetime, end: datetime, grid: TimeGrid, aggregation: Aggregation) -> pd.DataFrame:
    """One row per bucket of [start, end) that has a sample; a column without one there is NaN. See shared/domain/timegrid.py.

    Args:
        samples: index = timestamps (UTC, sorted), float columns, NaN where a sample is not usable.
        start, end: on a bucket's border, so that every bucket given is whole.
        aggregation: of the usable samples of a bucket; weighted by time, samples before `start` count for what still held then.
    """
    if aggregation is Aggregation.TIME_WEIGHTED_MEAN:
        return time_weighted(samples[samples.index < end], start=start, end=end, grid=grid)
    first, last = (samples.index.searchsorted(pd.Timestamp(moment)) for moment in (start, end))
    inside = samples.iloc[first:last]
    starts = starts_of(grid, pd.DatetimeIndex(inside.index))
    steps: pd.DataFrame
    if starts.is_unique:  # each is a step by itself already; a mean is never -0.0
        steps = pd.DataFrame(inside.to_numpy(dtype=np.float64) + 0.0, index=starts, columns=inside.columns)
    elif aggregation is Aggregation.P95:
        steps = _quantile(inside, starts)
    elif grid.zone is None:  # the same as below, but several times as fast
        steps = inside.resample(f"{grid.step_seconds}s", origin="epoch", closed="left", label="left").agg(aggregation.value)
    else:
        steps = inside.groupby(starts).agg(aggregation.value)
    kept: pd.DataFrame = steps[~np.isnan(steps.to_numpy()).all(axis=1)]
    return kept


def _quantile(samples: pd.DataFrame, starts: pd.DatetimeIndex) -> pd.DataFrame:
    """The 95 % quantile of each bucket, as `PERCENTILE` of InfluxQL has it: one of the samples, and nothing between two."""
    places, buckets = pd.factorize(starts, sort=True)
    return pd.DataFrame({name: _ranked(samples[name].to_numpy(), places, len(buckets)) for name in samples}, index=buckets)


def _ranked(values: NDArray[np.float64], places: NDArray[np.intp], buckets: int) -> NDArray[np.float64]:
    known = np.isfinite(values)
    places, values = places[known], values[known]
    ordered = values[np.lexsort((values, places))]
    counts = np.bincount(places, minlength=buckets)
    ranks = np.floor(counts * P95 / 100 + 0.5).astype(np.intp)
    found = np.full(buckets, np.nan)
    found[counts > 0] = ordered[(np.cumsum(counts) - counts + ranks - 1)[counts > 0]] + 0.0
    return found


def last_of_each_moment(samples: pd.DataFrame) -> pd.DataFrame:
    """One row per timestamp: of each column the last value. A row that has none takes nothing away: it may be of another kind.

    Args:
        samples: in the order in which those of one timestamp were written.
    """
    return samples if samples.index.is_unique else samples.groupby(level=0).last()
