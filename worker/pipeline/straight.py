"""Values between known ones on straight lines, of many columns at once: `np.interp` takes one column at a time."""

from __future__ import annotations

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
