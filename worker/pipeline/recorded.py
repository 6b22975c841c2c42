"""Accuracy measures of recorded forecasts, where the folds of a snapshot are no longer at hand but those of an outcome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.domain.forecasts import Measures, WindowForecast
from worker.models.base import FloatArray
from worker.pipeline.measures import measure


def measured(
    folds: Sequence[WindowForecast], reference: Sequence[WindowForecast] = (), *, like: Sequence[WindowForecast] = ()
) -> Measures:
    """Over all scored steps of these folds (at least one).

    Args:
        folds: their own measures do not count.
        reference: the reference forecasts of the same folds; without them there is no skill.
        like: forecasts of the same folds whose measures tell MASE's scale.
    """
    parts = []
    for index, fold in enumerate(folds):
        same = [forecasts[index] for forecasts in (like, reference) if forecasts]
        known = prediction_of(reference[index]) if reference else np.full(len(fold.prediction), np.nan)
        parts.append((actual_of(fold), fold.prediction, known, _scale(same)))
    return measure(parts)


def actual_of(fold: WindowForecast) -> FloatArray:
    """Shape (window_steps,), NaN where there is no value."""
    return np.array(fold.actual, dtype=np.float64)  # None becomes NaN


def prediction_of(fold: WindowForecast) -> FloatArray:
    """Shape (window_steps,)."""
    return np.array(fold.prediction, dtype=np.float64)


def _scale(same: Sequence[WindowForecast]) -> float:
    """MASE's scale of a fold, which is a mean absolute error over its MASE; NaN where none of these tells it."""
    for fold in same:
        if mase := fold.measures.mase:
            return float(np.nanmean(np.abs(actual_of(fold) - prediction_of(fold)))) / mase
    return float("nan")
