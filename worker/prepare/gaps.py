"""Gaps filled from what is known on their left, and on their right where there is a right; never with zero.

    up to 6 steps          a straight line between the values on both sides
    longer                 the same hour of the previous day, day after day; within the first day a straight line
    at the end             the same hour of the previous day; within the first day the last value
    at the start           dropped where the target has none yet; other columns repeat their first value

A missed scrape is not an idle queue. What comes after the frame's last row is never looked at, so a frame cut at a fold's
cutoff is filled as if nothing had happened afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MAX_LINE_STEPS = 6
SECONDS_PER_DAY = 86_400


def fill_gaps(frame: pd.DataFrame, step_seconds: int) -> pd.DataFrame:
    """The frame without a NaN: a copy, from the first value of its first column (the target) on.

    Args:
        frame: regular index of `step_seconds`, NaN where nothing was measured. A column without any value stays NaN.
        step_seconds: a step that does not divide the day knows no "same hour", so its long gaps are straight lines too.
    """
    known = frame.iloc[:, 0].notna().to_numpy()
    started = frame.iloc[int(known.argmax()) if known.any() else len(frame) :]
    steps_per_day = SECONDS_PER_DAY // step_seconds if SECONDS_PER_DAY % step_seconds == 0 else len(frame)
    return pd.DataFrame(
        {name: _filled(started[name].to_numpy(dtype=np.float64), steps_per_day) for name in started.columns}, index=started.index
    )


def gap_runs(missing: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """The runs of True, as (first, one past the last) positions, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False]))))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _filled(values: NDArray[np.float64], steps_per_day: int) -> NDArray[np.float64]:
    missing = np.isnan(values)
    if missing.all() or not missing.any():
        return values.copy()
    filled = values.copy()
    for first, end in gap_runs(missing):  # from left to right: the day before may have been filled itself
        filled[first:end] = _fill(filled, first, end, steps_per_day)
    return filled


def _fill(values: NDArray[np.float64], first: int, end: int, steps_per_day: int) -> NDArray[np.float64]:
    steps, has_right = end - first, end < len(values)
    if first == 0:
        return np.repeat(values[end], steps)
    if first >= steps_per_day and not (has_right and steps <= MAX_LINE_STEPS):
        return np.resize(values[first - steps_per_day : first], steps)
    right = values[end] if has_right else values[first - 1]
    return np.linspace(values[first - 1], right, steps + 2)[1:-1]
