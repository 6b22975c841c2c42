"""Values between known ones on straight lines, of many columns at once: `np.interp` takes one column at a time.

And medians and quantiles of a few values, for which NumPy's own take ten times as long; in each bit the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from worker.models.base import FloatArray


def interpolated(at: FloatArray, known: FloatArray, values: FloatArray) -> FloatArray:
    """The values at these places, as `np.interp` has them: beyond the outermost known places those of these.

    Args:
        at: shape (places,), or (places, columns) where each column is asked for places of its own.
        known: ascending, the same for all columns.
        values: shape (len(known), columns).
    """
    inside = np.clip(at, known[0], known[-1])
    below = np.searchsorted(known, inside, side="right") - 1
    above = np.minimum(below + 1, len(known) - 1)
    part = (inside - known[below]) / np.where(above > below, known[above] - known[below], 1.0)
    if at.ndim == 1:
        lower, upper, part = values[below], values[above], part[:, np.newaxis]
    else:
        columns = np.arange(values.shape[1])
        lower, upper = values[below, columns], values[above, columns]
    found: FloatArray = lower + part * (upper - lower)
    return found


def median_of(values: Sequence[float] | FloatArray) -> float:
    """As `np.median` has it, of a few finite values, at least one."""
    ranked = np.sort(values)
    middle = len(ranked) // 2
    return float(ranked[middle] if len(ranked) % 2 else (ranked[middle - 1] + ranked[middle]) / 2)


def quantile_of(values: Sequence[float] | FloatArray, level: float) -> float:
    """As `np.quantile` has it, of a few finite values, at least one."""
    ranked = np.sort(values)
    place = level * (len(ranked) - 1)
    below = int(place)
    low, high, part = ranked[below], ranked[min(below + 1, len(ranked) - 1)], place - below
    return float(high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part)
