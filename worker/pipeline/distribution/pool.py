"""Weighted samples of what may come, and the quantiles of such a pool."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from worker.models.base import FloatArray
from worker.pipeline.straight import interpolated

# Where the distribution is worked out, 0–1; what is delivered is interpolated between these, straight; the outermost two stand
# for all beyond.
_FINE = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995)
FINE: FloatArray = np.array(_FINE)
MIDDLE = _FINE.index(0.5)
QUARTER = 0.25  # between 25 and 75 % the pool is wide enough as it is
OPTIMISM = 1.5  # 1 for the fold to come being one more draw, the rest for the winner being chosen on these very misses
FEW_FOLDS = 7  # from so many on the stretch allows for it
Samples = tuple[FloatArray, FloatArray]  # values and their votes, both of shape (samples, columns); NaN = there is none


def share(samples: Samples, part: float | FloatArray) -> Samples:
    """The same samples, whose votes are `part` (that of each column, or of all) in all in each column that has any."""
    values, votes = samples
    counted = np.where(np.isfinite(values), votes, 0.0)
    total = counted.sum(axis=0)
    return values, part * counted / np.where(total > 0, total, 1.0)


def pooled(parts: Sequence[Samples]) -> FloatArray:
    """Quantiles at `FINE` of all of these together, shape (len(FINE), columns); each column needs a sample with votes."""
    values, votes = (np.concatenate(each) for each in zip(*parts, strict=True))
    known = np.isfinite(values) & (votes > 0)
    if values.shape[1] > 1:  # of one alone the sums would be added up in another order
        used = known.any(axis=1)
        values, votes, known = values[used], votes[used], known[used]
    order, every = np.argsort(np.where(known, values, np.inf), axis=0, kind="stable"), np.arange(values.shape[1])
    ranked, carried = values[order, every], np.where(known, votes, 0.0)[order, every]
    middles = (np.cumsum(carried, axis=0) - carried / 2) / carried.sum(axis=0)
    counts = known.sum(axis=0).tolist()
    columns = [np.interp(FINE, middles[:count, at], ranked[:count, at]) for at, count in enumerate(counts)]
    return np.stack(columns, axis=1)


def stretched(quantiles: FloatArray, factor: FloatArray, ramp: float) -> FloatArray:
    """Tails drawn away from the median, as a backtest knows too few of the worst: not at all up to 25 and 75 %, then ever more.

    Args:
        factor: shape (columns,), how much from 25 % − `ramp` and 75 % + `ramp` outwards.
    """
    median = quantiles[MIDDLE]
    beyond = np.clip((np.abs(FINE - FINE[MIDDLE]) - QUARTER) / ramp, 0, 1)[:, np.newaxis]
    drawn: FloatArray = median + (quantiles - median) * (1 + (factor - 1) * beyond)
    return drawn


def further(folds: ArrayLike) -> FloatArray:
    """How much further the tails are drawn where there are few folds to learn from; 1 from `FEW_FOLDS` on."""
    factor: FloatArray = np.sqrt((1 + OPTIMISM / np.minimum(folds, FEW_FOLDS)) / (1 + OPTIMISM / FEW_FOLDS))
    return factor


def at_levels(quantiles: FloatArray, levels: Sequence[float]) -> FloatArray:
    """Quantiles at `FINE`, shape (len(FINE), columns), at other levels: shape (levels, columns)."""
    return interpolated(np.asarray(levels), FINE, quantiles)


def ranks(values: FloatArray, mass: FloatArray) -> FloatArray:
    """The share of the mass below each value, and half of its own; values of shape (samples, columns), mass sums up to 1."""
    order = np.argsort(values, axis=0, kind="stable")
    carried = mass[order]
    found = np.empty(values.shape)
    np.put_along_axis(found, order, np.cumsum(carried, axis=0) - carried / 2, 0)
    return found


def weighted_median(values: FloatArray, votes: FloatArray) -> FloatArray:
    """Of each column; NaN where it has no value."""
    known = np.isfinite(values) & (votes > 0)
    order = np.argsort(np.where(known, values, np.inf), axis=0, kind="stable")
    ranked, reached = (
        np.take_along_axis(values, order, 0),
        np.cumsum(np.take_along_axis(np.where(known, votes, 0.0), order, 0), 0),
    )
    half = reached[-1] / 2
    lower, upper = (np.argmax(found, axis=0)[np.newaxis] for found in (reached >= half, reached > half))
    median = (np.take_along_axis(ranked, lower, 0)[0] + np.take_along_axis(ranked, upper, 0)[0]) / 2
    return np.where(reached[-1] > 0, median, np.nan)
