"""Accuracy measures: formula, source, and the rule for zeros.

y = actual, f = prediction, e = y − f; a step without an actual value (NaN) is not scored. Sources: [HA] Hyndman and
Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 5.8 and 5.9; [HK] Hyndman and Koehler, Another look at measures of
forecast accuracy, Int. J. Forecasting 22 (2006); [M4] Makridakis et al., The M4 Competition, Int. J. Forecasting 36 (2020).

A value as small as `ZERO` counts as zero. Where a formula would divide by zero the measure is None, never infinite.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from shared.domain.accuracy import ZERO
from shared.domain.forecasts import Measures, WindowForecast
from worker.models.base import FloatArray
from worker.pipeline.straight import interpolated

DECILES: FloatArray = np.arange(1, 10) / 10
NEAR_ZERO = 0.1  # of the mean of the actual values: being 1 off there is ten times as many per cent as at the mean

# Of one forecast of n steps: the actual values (NaN where there is none), the prediction (finite), the reference forecast of the
# same steps (NaN where it is not defined), and MASE's scale of its training part (`mase_scale`; NaN where it is not defined).
Part = tuple[FloatArray, Sequence[float] | FloatArray, FloatArray, float]


def measure(parts: Iterable[Part]) -> Measures:
    """All accuracy measures over one or more forecasts together, each as a `Part`."""
    columns = ((actual, made, reference, np.full(len(actual), scale)) for actual, made, reference, scale in parts)
    actual, prediction, reference, scale = map(np.concatenate, zip(*columns, strict=True))
    scored = np.isfinite(actual)
    actual, prediction, reference, scale = actual[scored], prediction[scored], reference[scored], scale[scored]
    return Measures(
        mape=mape(actual, prediction),
        wape=wape(actual, prediction),
        smape=smape(actual, prediction),
        mase=mase(actual, prediction, scale),
        rmse=rmse(actual, prediction),
        skill=skill(actual, prediction, reference),
        steps=int(scored.sum()),
        skipped_steps=int((np.abs(actual) <= ZERO).sum()),
        near_zero_steps=near_zero(actual),
    )


def measured(folds: Sequence[WindowForecast], like: Sequence[Sequence[WindowForecast]]) -> Measures:
    """The same of forecasts that are recorded in an outcome: over all scored steps of these folds (at least one).

    Args:
        folds: their own measures do not count.
        like: of each fold, forecasts whose measures tell MASE's scale, and how good the reference forecast was.
    """
    parts = []
    for fold, same in zip(folds, like, strict=True):
        actual = actual_of(fold)
        parts.append((actual, fold.prediction, actual + _reference_error(same), _scale(same)))
    return measure(parts)


def actual_of(fold: WindowForecast) -> FloatArray:
    """Shape (window_steps,), NaN where there is no value."""
    return np.array(fold.actual, dtype=np.float64)  # None becomes NaN


def prediction_of(fold: WindowForecast) -> FloatArray:
    """Shape (window_steps,)."""
    return np.array(fold.prediction, dtype=np.float64)


def errors_of(fold: WindowForecast) -> FloatArray:
    """|actual − prediction|, shape (window_steps,), NaN where there is no value."""
    return np.abs(actual_of(fold) - prediction_of(fold))


def _scale(same: Sequence[WindowForecast]) -> float:
    """MASE's scale of a fold, which is a mean absolute error over its MASE; NaN where none of these tells it."""
    for fold in same:
        if fold.measures.mase and (scored := _mean(_scored(errors_of(fold)))) is not None:
            return scored / fold.measures.mase
    return float("nan")


def _reference_error(same: Sequence[WindowForecast]) -> float:
    """Mean absolute error of the reference forecast of a fold; NaN where none of these tells it."""
    for fold in same:
        skill_there = fold.measures.skill
        if skill_there is not None and skill_there < 1 and (scored := _mean(_scored(errors_of(fold)))) is not None:
            return scored / (1 - skill_there)
    return float("nan")


def near_zero(actual: FloatArray) -> int:
    """How many of these values are so small beside the mean of all that errors there make up a MAPE."""
    size = np.abs(actual)
    return int((size <= max(ZERO, NEAR_ZERO * float(size.mean()))).sum()) if len(size) else 0


def mape(actual: FloatArray, prediction: FloatArray) -> float | None:
    """Mean of 100 |e| / |y| [HA 5.8] over the steps with |y| > 1e-9; the other steps are left out. None when none is left."""
    counted = np.abs(actual) > ZERO
    return _mean(100 * np.abs(actual - prediction)[counted] / np.abs(actual)[counted])


def wape(actual: FloatArray, prediction: FloatArray) -> float | None:
    """100 Σ|e| / Σ|y| (Kolassa and Schütz, Advantages of the MAD/MEAN ratio over the MAPE, 2007); None when Σ|y| is zero."""
    return _in_percent(np.abs(actual - prediction), actual)


def smape(actual: FloatArray, prediction: FloatArray) -> float | None:
    """Mean of 200 |e| / (|y| + |f|) [M4], 0–200; a step where both are zero counts as exact, 0."""
    size = np.abs(actual) + np.abs(prediction)
    is_zero = size <= ZERO
    return _mean(np.where(is_zero, 0.0, 200 * np.abs(actual - prediction) / np.where(is_zero, 1.0, size)))


def mase(actual: FloatArray, prediction: FloatArray, scale: FloatArray) -> float | None:
    """Mean of |e| / scale [HK, eq. for q_t]; None when the scale of any step is not defined."""
    return _mean(np.abs(actual - prediction) / scale) if np.isfinite(scale).all() else None


def mase_scale(history: FloatArray, season_steps: int) -> float:
    """MAE of the seasonal naive inside a training part, |y_t − y_(t−m)| [HA 5.8]; NaN when that is zero or too short."""
    if len(history) <= season_steps:
        return float("nan")
    error = float(np.abs(history[season_steps:] - history[:-season_steps]).mean())
    return error if error > ZERO else float("nan")


def rmse(actual: FloatArray, prediction: FloatArray) -> float | None:
    """Root of the mean of e² [HA 5.8]."""
    mean = _mean((actual - prediction) ** 2)
    return None if mean is None else float(np.sqrt(mean))


def skill(actual: FloatArray, prediction: FloatArray, reference: FloatArray) -> float | None:
    """1 − WAPE / WAPE(seasonal naive) on the same steps [HA 5.9]; None when that has no error or no forecast."""
    error = float(np.abs(actual - reference).sum())  # NaN where the reference forecast is not defined
    return 1 - float(np.abs(actual - prediction).sum()) / error if error > ZERO else None


def pinball(actual: FloatArray, quantile_prediction: FloatArray, level: float) -> float | None:
    """Mean of max(p d, (p − 1) d), d = y − quantile, p = level (0–1) (Koenker and Bassett, Regression Quantiles, 1978)."""
    distance = actual - quantile_prediction
    return _mean(np.maximum(level * distance, (level - 1) * distance)[np.isfinite(actual)])


def crps(actual: FloatArray, deciles: FloatArray) -> float | None:
    """Continuous ranked probability score: Σ of the steps' loss in per cent of Σ|y|; None without steps, or when that is zero.

    It is the mean weighted quantile loss of benchmarks of probabilistic forecasts (Gneiting and Raftery, Strictly proper scoring
    rules, JASA 102, 2007). A forecast without quantiles has its WAPE.

    Args:
        deciles: the nine of each step, shape (9, steps).
    """
    scored = np.isfinite(actual)
    return _in_percent(decile_loss(actual, deciles)[scored], actual[scored])


def deciles_of(quantiles: FloatArray, levels: Sequence[float]) -> FloatArray:
    """The nine deciles, shape (9, steps), between quantiles of shape (levels, steps)."""
    return interpolated(DECILES, np.asarray(levels), quantiles)


def decile_loss(actual: FloatArray, deciles: FloatArray) -> FloatArray:
    """Twice the mean loss of the nine deciles of each step, in the unit of the target; NaN where there is no actual value."""
    distance = actual - deciles
    loss: FloatArray = 2 * np.maximum(DECILES[:, np.newaxis] * distance, (DECILES[:, np.newaxis] - 1) * distance).mean(axis=0)
    return loss


def coverage(actual: FloatArray, lower: FloatArray, upper: FloatArray) -> float | None:
    """Per cent of the steps with lower ≤ y ≤ upper; None without steps."""
    return _mean(np.where((lower <= actual) & (actual <= upper), 100.0, 0.0)[np.isfinite(actual)])


def _scored(values: FloatArray) -> FloatArray:
    return values[np.isfinite(values)]


def _in_percent(loss: FloatArray, actual: FloatArray) -> float | None:
    """100 Σ loss / Σ|y|; None when that is zero."""
    size = float(np.abs(actual).sum())
    return 100 * float(loss.sum()) / size if size > ZERO else None


def _mean(values: FloatArray) -> float | None:
    return float(values.mean()) if len(values) else None
