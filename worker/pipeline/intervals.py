"""Lower and upper bounds from the winner's backtest errors: one method for all models, since their own bands are not comparable.

Split-conformal prediction (Lei et al., Distribution-Free Predictive Inference for Regression, 2018, section 2.2) with errors
normalised by their spread per group of lead times (ibid., section 5.2):

    lead time    1 … 6 | 7 … 24 | 25 … 48 | 49 … 72 | …        one spread a group, never smaller than the group's before
    half width = spread(group) × the ⌈(n + 1) × coverage⌉-th smallest of all n normalised errors

Pooling the normalised errors of all groups keeps the quantile steady where a group has a handful of errors only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from shared.forecasts import WindowForecast
from worker.models.base import FloatArray

GROUP_ENDS = (6, 24)  # lead times; after these a group has 24 steps
LATER_GROUP_STEPS = 24
SELECTION_BIAS = 1.1  # the winner's errors are 1.08–1.13 times too small on three windows, because it was chosen by them


def bounds_around(
    prediction: FloatArray,
    windows: Sequence[WindowForecast],
    *,
    coverage: float,
    bounds: tuple[float | None, float | None],
) -> tuple[FloatArray, FloatArray]:
    """Lower and upper bound of each step, shape (horizon,) each: lower ≤ prediction ≤ upper, and within `bounds`.

    Args:
        prediction: clipped to `bounds` already.
        windows: the backtest of the candidate that predicts.
        coverage: share of the actual values that should lie within, 0–1.
        bounds: physical range; None = open.
    """
    half_width = _half_widths(windows, len(prediction), coverage)
    floor, ceiling = (-np.inf if bounds[0] is None else bounds[0]), (np.inf if bounds[1] is None else bounds[1])
    return np.maximum(prediction - half_width, floor), np.minimum(prediction + half_width, ceiling)


def lead_group(lead_time: int) -> int:
    """Group of a lead time (1, 2, …)."""
    if lead_time <= GROUP_ENDS[-1]:
        return next(group for group, end in enumerate(GROUP_ENDS) if lead_time <= end)
    return len(GROUP_ENDS) + (lead_time - GROUP_ENDS[-1] - 1) // LATER_GROUP_STEPS


def _half_widths(windows: Sequence[WindowForecast], horizon: int, coverage: float) -> FloatArray:
    errors, groups = _errors(windows)
    if not len(errors):
        return np.zeros(horizon)
    spreads = _spreads(errors, groups, lead_group(horizon))
    scores = np.sort(errors / np.where(spreads[groups] > 0, spreads[groups], 1.0))
    rank = math.ceil((len(scores) + 1) * coverage)
    quantile = scores[min(rank, len(scores)) - 1] * max(1.0, rank / len(scores))  # too few errors: beyond the largest
    wanted = [lead_group(step) for step in range(1, horizon + 1)]
    return np.asarray(SELECTION_BIAS * quantile * spreads[wanted], dtype=np.float64)


def _errors(windows: Sequence[WindowForecast]) -> tuple[FloatArray, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """All absolute errors of the backtest, and the group of each."""
    found = [
        (abs(actual - predicted), lead_group(step))
        for window in windows
        for step, (actual, predicted) in enumerate(zip(window.actual, window.prediction, strict=True), start=1)
        if actual is not None
    ]
    return np.array([error for error, _ in found]), np.array([group for _, group in found], dtype=np.int64)


def _spreads(errors: FloatArray, groups: np.ndarray[tuple[int], np.dtype[np.int64]], last: int) -> FloatArray:
    """Mean absolute error of each group up to `last`, never decreasing.

    A group that the backtest did not reach (its windows were shorter than the horizon) grows as a random walk's error would.
    """
    spreads = np.zeros(max(last, int(groups.max())) + 1)
    for group in range(len(spreads)):
        own = errors[groups == group]
        before = spreads[group - 1] if group else 0.0
        spreads[group] = max(before, own.mean()) if len(own) else before * math.sqrt((group + 1) / max(1, group))
    return spreads
