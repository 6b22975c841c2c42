"""Measures of recorded forecasts, where there are no windows of a snapshot at hand any more but those of an outcome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.domain.forecasts import Measures, WindowForecast
from worker.models.base import FloatArray
from worker.pipeline.measures import measure


def measured(
    windows: Sequence[WindowForecast], naive: Sequence[WindowForecast] = (), *, like: Sequence[WindowForecast] = ()
) -> Measures:
    """Over all scored steps of these windows (at least one).

    Args:
        windows: their own measures do not count.
        naive: the floor's forecasts of the same windows; without them there is no skill.
        like: forecasts of the same windows whose measures tell MASE's scale.
    """
    actual = [actual_of(window) for window in windows]
    scales = [_scale([each[index] for each in (like, naive) if each]) for index in range(len(windows))]
    return measure(
        np.concatenate(actual),
        np.concatenate([prediction_of(window) for window in windows]),
        naive=np.concatenate([prediction_of(window) for window in naive] or [np.full_like(each, np.nan) for each in actual]),
        scale=np.concatenate([np.full_like(each, scale) for each, scale in zip(actual, scales, strict=True)]),
    )


def actual_of(window: WindowForecast) -> FloatArray:
    """Shape (window_steps,), NaN where there is no value."""
    return np.array(window.actual, dtype=np.float64)  # None becomes NaN


def prediction_of(window: WindowForecast) -> FloatArray:
    """Shape (window_steps,)."""
    return np.array(window.prediction, dtype=np.float64)


def _scale(same: Sequence[WindowForecast]) -> float:
    """MASE's scale of a window, which is a mean absolute error over its MASE; NaN where none of these tells it."""
    for window in same:
        if mase := window.measures.mase:
            return float(np.nanmean(np.abs(actual_of(window) - prediction_of(window)))) / mase
    return float("nan")
