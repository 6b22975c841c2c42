"""Lower and upper bound from the winner's own backtest: what it missed there, it may miss again.

One method for all models: split-conformal prediction with locally weighted residuals (Lei, G'Sell, Rinaldo, Tibshirani and
Wasserman, Distribution-free predictive inference for regression, JASA 113, 2018, 2.2 and 5.2), the weight being the spread of a
lead time, as multi-step errors grow with it (Wang and Hyndman, Online conformal inference for multi-step time series
forecasting, 2024).

    lead time   1 … 6 │ 7 … 24 │ 25 … 48 │ 49 … 72 │ …     groups, here of hourly steps (shared/domain/timegrid.py)
    spread      ▂▂▂▂▂▂│▃▃▃▃▃▃▃▃│▅▅▅▅▅▅▅▅▅│▅▅▅▅▅▅▅▅▅│ …     root mean square of the residuals, never smaller than before

half width = quantile of |residual| / spread × spread of the lead time × allowance for so few folds
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import ceil, sqrt
from statistics import NormalDist

import numpy as np

from shared.domain.forecasts import WindowForecast
from shared.domain.timegrid import lead_groups
from worker.models.base import FloatArray
from worker.pipeline.history import clip
from worker.pipeline.measures import errors_of
from worker.pipeline.special import Ahead

# Chosen on every second real series at hand so that 90 % covers 90 %, and checked on the others.
SHARED_STEPS = 24  # a group's spread counts as if it held so many residuals of the overall spread: 6 steps alone are noise
OPTIMISM = 1.5  # 1 for the fold to come being one more draw, the rest for the winner being chosen on these very residuals
GROWTH = 0.25  # beyond the backtested lead times: 0 = they stay as wide, 0.5 = as of a random walk


def prediction_interval(
    prediction: FloatArray,
    folds: Sequence[WindowForecast],
    *,
    level: float,
    physical_range: tuple[float | None, float | None],
    step_seconds: int,
) -> tuple[FloatArray, FloatArray]:
    """Lower and upper bound of each step: lower ≤ prediction ≤ upper, further apart with lead time, clipped to `physical_range`.

    Args:
        prediction: shape (horizon,), clipped already; the horizon may exceed the folds.
        folds: the winner's backtest; without any actual value in it there is no width to learn.
        level: share of the actual values that should lie between, 0–1.
        physical_range: what values are possible; None = open.
    """
    half = half_widths(np.array([errors_of(fold) for fold in folds]), len(prediction), level, step_seconds)
    return clip(prediction - half, physical_range), clip(prediction + half, physical_range)


def widened(
    prediction: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
    ahead: Ahead,
    *,
    level: float,
    physical_range: tuple[float | None, float | None],
) -> tuple[FloatArray, FloatArray]:
    """Bounds that also allow for what an occasion may do otherwise than before: squares of widths add up.

    Args:
        ahead: what occasions do to each step, shape (horizon,); ordinary steps keep their bounds.
    """
    further = NormalDist().inv_cdf((1 + level) / 2) * ahead.spread
    lower, upper = (np.hypot(np.abs(ahead.scale) * (bound - prediction), further) for bound in bounds)
    return clip(prediction - lower, physical_range), clip(prediction + upper, physical_range)


def of_this_level(folds: Sequence[WindowForecast], since: datetime | None, step_seconds: int) -> Sequence[WindowForecast]:
    """The folds whose misses say something of the present level: those that begin with it, else the steps of all before it.

    A fold across a change of level misses by the whole change, which nobody expects to happen again in each forecast.
    """
    if since is None:
        return folds
    before = []
    for fold in folds:
        steps = max(0, int((since - fold.origin_at).total_seconds()) // step_seconds)
        before.append(replace(fold, actual=(*fold.actual[:steps], *(None for _ in fold.actual[steps:]))))
    is_known = any(value is not None for fold in before for value in fold.actual)
    return [fold for fold in folds if fold.origin_at >= since] or (before if is_known else folds)


def half_widths(errors: FloatArray, horizon: int, level: float, step_seconds: int) -> FloatArray:
    """Half the distance between the bounds per step, shape (horizon,), never falling.

    Args:
        errors: |actual − prediction|, shape (folds, window_steps), NaN = gap.
        horizon: steps to cover; leads that were not backtested have the spread of the last group and grow from there.
        level: 0–1.
    """
    folds, window_steps = errors.shape
    spread = _spreads(errors, step_seconds)
    ranked = np.sort((errors / np.where(spread > 0, spread, 1.0))[np.isfinite(errors)])
    lead = np.arange(1, horizon + 1)
    carried = spread[np.minimum(lead, window_steps) - 1]
    growth = np.maximum(lead / window_steps, 1.0) ** GROWTH
    widths: FloatArray = _quantile(ranked, level) * carried * growth * sqrt(1 + OPTIMISM / folds)
    return widths


def _spreads(errors: FloatArray, step_seconds: int) -> FloatArray:
    """Root mean square of the group of each lead time, shrunk towards the overall one; shape (window_steps,), never falling."""
    squares = errors**2
    overall = float(np.nansum(squares)) / max(1, int(np.isfinite(squares).sum()))
    spread = np.empty(errors.shape[1])
    for first, last in lead_groups(step_seconds, errors.shape[1]):
        own = squares[:, first - 1 : last]
        total = float(np.nansum(own)) + SHARED_STEPS * overall
        spread[first - 1 : last] = sqrt(total / (int(np.isfinite(own).sum()) + SHARED_STEPS))
    running: FloatArray = np.maximum.accumulate(spread)
    return running


def _quantile(ranked: FloatArray, level: float) -> float:
    """The ⌈(n + 1) level⌉-th smallest of n (Lei et al., algorithm 2).

    With too few of them the theory says infinity; we take the largest, longer by the share that is lacking.
    """
    if not (n := len(ranked)):
        return 0.0
    rank = (n + 1) * level
    return float(ranked[min(ceil(rank), n) - 1]) * max(1.0, rank / n)
