"""Which kind of series the past shows.

    seasonal           strength of the day or of the week above 0.64
    idle               in use less than once a day
    intermittent       the mean interval between steps in use (ADI) is at least 1.32 steps
    not forecastable   erratic (CV² at least 0.49), and values of one step say nothing of those of the next ones
    steady             all else

Sources. ADI, CV² and their cut-offs: Syntetos, Boylan and Croston, On the categorization of demand patterns, J. Operational
Research Society 56 (2005). Strength: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 4.3, here of a
classical decomposition (3.4), which takes a tenth of a millisecond where STL takes ten; above 0.64 R's `nsdiffs` calls a series
seasonal. Dependence: Ljung and Box, On a measure of lack of fit in time series models, Biometrika 65 (1978).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shared.domain.series_kind import SeriesKind

DAYS_PER_WEEK = 7
MIN_SEASONS = 3  # of two, the mean of both explains half of any noise
MIN_STRENGTH = 0.64
MIN_INTERVAL = 1.32  # steps
MIN_ERRATIC = 0.49  # CV²
NOT_IN_USE = 0.1  # of the mean: the same that counts as near zero in scores
SURE = 2.33  # standard deviations: 1 % of independent values depend as much by chance

FloatArray = NDArray[np.float64]


def kind_of(values: FloatArray, steps_per_day: int) -> SeriesKind | None:
    """The kind of a series without gaps, in steps of the wall clock; None = it is too short to tell.

    Args:
        steps_per_day: 1 where steps are days or longer.
    """
    size = np.abs(values)
    if not len(values) or not size.any():
        return SeriesKind.IDLE
    if np.ptp(values) <= 1e-12 * size.max():
        return SeriesKind.STEADY
    if len(values) < MIN_SEASONS * steps_per_day:
        return None
    seasons = {steps_per_day, DAYS_PER_WEEK * steps_per_day} - {1}
    if any(strength(values, season) > MIN_STRENGTH for season in seasons):
        return SeriesKind.SEASONAL
    return _without_season(values, steps_per_day)


def _without_season(values: FloatArray, steps_per_day: int) -> SeriesKind:
    in_use = np.abs(values) > NOT_IN_USE * np.abs(values).mean()
    interval = len(values) / in_use.sum()
    if interval > max(steps_per_day, MIN_INTERVAL):
        return SeriesKind.IDLE
    if interval >= MIN_INTERVAL:
        return SeriesKind.INTERMITTENT
    is_erratic = values.var() >= MIN_ERRATIC * values.mean() ** 2
    return SeriesKind.NOT_FORECASTABLE if is_erratic and not _depends(values, steps_per_day) else SeriesKind.STEADY


def strength(values: FloatArray, season: int) -> float:
    """How much of what varies around the trend is the season, 0–1; 0 where it was not seen three times."""
    if len(values) < MIN_SEASONS * season:
        return 0.0
    sums = np.cumsum(np.concatenate([[0.0], values]))
    trend = (sums[season:] - sums[:-season]) / season
    around = values[season // 2 :][: len(trend)] - trend
    phase = np.arange(len(around)) % season
    by_phase = np.bincount(phase, weights=around, minlength=season) / np.bincount(phase, minlength=season)
    spread = around.var()
    return max(0.0, 1 - float((around - by_phase[phase]).var() / spread)) if spread > 0 else 0.0


def _depends(values: FloatArray, lags: int) -> bool:
    """Whether values depend on those up to a day before: Ljung and Box's Q, which is about normal for as many lags as these."""
    n, count = len(values), max(1, min(lags, len(values) // 5))
    centred = values - values.mean()
    correlations = np.array([(centred[lag:] * centred[:-lag]).sum() for lag in range(1, count + 1)]) / (centred**2).sum()
    q = n * (n + 2) * float((correlations**2 / (n - np.arange(1, count + 1))).sum())
    return bool((q - count) / np.sqrt(2 * count) > SURE)
