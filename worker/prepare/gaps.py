"""Gaps filled from what is known on their left, and on their right where there is a right; never with zero.

    up to 6 steps          a straight line between the values on both sides
    longer                 the same hour of the previous day, day after day; within the first day a straight line
    at the end             the same hour of the previous day; within the first day the last value
    at the start           dropped where the target has none yet; other columns repeat their first value

So without a word in the request; its `fill` says lines, or the previous day, whatever the length, and which gap is too long: that
one stays a gap. A missed scrape is not an idle queue. What comes after the frame's last row is never looked at, so a frame cut at
a fold's cutoff is filled as if nothing had happened afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.samples import Fill, FillMethod
from shared.domain.timegrid import SECONDS_PER_DAY

MAX_LINE_STEPS = 6
USUAL = Fill()


class Way(StrEnum):
    """What a gap is filled with, as people read it."""

    LINE = "a straight line"
    DAY_BEFORE = "the same hour of the day before"
    NEAREST = "the nearest value"


def fill_gaps(frame: pd.DataFrame, step_seconds: int, fill: Fill = USUAL) -> pd.DataFrame:
    """From the first value of its first column (the target) on, without a NaN but in gaps that are too long for `fill`.

    Args:
        frame: regular index of `step_seconds`, NaN where nothing was measured. A column without any value stays NaN.
        step_seconds: a step that does not divide the day knows no "same hour", so its long gaps are straight lines too.
    """
    missing = np.isnan(frame.to_numpy(dtype=np.float64))
    if not missing.any():
        return frame
    known = ~missing[:, 0]
    started = frame.iloc[int(known.argmax()) if known.any() else len(frame) :]
    return pd.DataFrame(
        {name: _filled(started[name].to_numpy(dtype=np.float64), step_seconds, fill) for name in started.columns},
        index=started.index,
    )


def ways_of_filling(missing: NDArray[np.bool_], step_seconds: int, fill: Fill = USUAL) -> Mapping[Way, int]:
    """How many missing steps of a column are filled in which way; those of gaps that stay are in none."""
    counts = Counter[Way]()
    for first, end in gap_runs(missing):
        if way := _way(first, end, len(missing), step_seconds, fill):
            counts[way] += end - first
    return counts


def gap_runs(missing: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """The runs of True, as (first, one past the last) positions, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False]))))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _filled(values: NDArray[np.float64], step_seconds: int, fill: Fill) -> NDArray[np.float64]:
    missing = np.isnan(values)
    if missing.all() or not missing.any():
        return values.copy()
    filled = values.copy()
    for first, end in gap_runs(missing):  # from left to right: the day before may have been filled itself
        if way := _way(first, end, len(values), step_seconds, fill):
            filled[first:end] = _values(way, filled, first, end, step_seconds)
    return filled


def _way(first: int, end: int, length: int, step_seconds: int, fill: Fill) -> Way | None:
    """How the gap is filled; None = it stays one."""
    most = fill.most_steps(step_seconds)
    if most is not None and end - first > most:
        return None
    if first == 0:
        return Way.NEAREST
    has_right = end < length
    is_short = has_right and end - first <= MAX_LINE_STEPS
    is_line = is_short if fill.method is None else fill.method is FillMethod.INTERPOLATE
    if not is_line and first >= _steps_per_day(step_seconds, length):
        return Way.DAY_BEFORE
    return Way.LINE if has_right else Way.NEAREST


def _values(way: Way, values: NDArray[np.float64], first: int, end: int, step_seconds: int) -> NDArray[np.float64]:
    steps = end - first
    if way is Way.DAY_BEFORE:
        return np.resize(values[first - _steps_per_day(step_seconds, len(values)) : first], steps)
    if way is Way.NEAREST:
        return np.repeat(values[first - 1] if first else values[end], steps)
    return np.linspace(values[first - 1], values[end], steps + 2)[1:-1]


def _steps_per_day(step_seconds: int, length: int) -> int:
    return SECONDS_PER_DAY // step_seconds if SECONDS_PER_DAY % step_seconds == 0 else length
