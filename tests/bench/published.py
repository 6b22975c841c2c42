"""Measures of published benchmarks: OWA of M4-Hourly, and ND and CRPS as in GIFT-Eval's bitbrains_rnd/H/short.

The latter are of 500 machines that are not at hand. Here they are of other machines of the same trace, whose figures are no
others' figures: beside them stand those of the seasonal naive on the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import mean

import numpy as np

from tests.bench.spread import Figure, Tasks
from worker.backtest.summary import CutoffResult, queue_summary
from worker.models.base import FloatArray
from worker.pipeline.measures import DECILES

NAIVE2_SMAPE, NAIVE2_MASE = 18.383, 2.395  # of M4-Hourly (Makridakis et al., The M4 Competition, Int. J. Forecasting 36, 2020)
M4_HOURS = 48
GIFT_HOURS, GIFT_WINDOWS = 48, 4  # its short horizon by the hour, and a tenth of the series as windows side by side


def owa(tasks: Tasks) -> float | None:
    """Mean over series of sMAPE and MASE, each ÷ that of Naive 2, and their mean."""
    summaries = [queue_summary([task]) for task in tasks]
    smape, mase = (mean(getattr(each, name) for each in summaries) for name in ("smape", "mase"))
    return (smape / NAIVE2_SMAPE + mase / NAIVE2_MASE) / 2


def _sum_of(loss: Callable[[CutoffResult], FloatArray], tasks: Tasks) -> float | None:
    """Over all values of all series, ÷ the sum of their sizes: large series count more."""
    size = sum(float(np.nansum(np.abs(task.actual))) for task in tasks)
    return sum(float(np.nansum(loss(task))) for task in tasks) / size if size else None


def nd(tasks: Tasks) -> float | None:
    """Normalised deviation of the median, which is what its table compares."""
    return _sum_of(lambda task: np.abs(task.actual - np.array(task.forecast.quantiles.at(0.5))), tasks)


def nd_of_prediction(tasks: Tasks) -> float | None:
    """Of the value that is forecast: it aims at a low percentage error, and so below the median."""
    return _sum_of(lambda task: np.abs(task.actual - np.array(task.forecast.prediction)), tasks)


def nd_of_naive(tasks: Tasks) -> float | None:
    """Of the same hour of the day before."""
    return _sum_of(lambda task: np.abs(task.actual - task.reference), tasks)


def crps(tasks: Tasks) -> float | None:
    """Mean weighted loss of the nine deciles."""
    return _sum_of(_decile_loss, tasks)


def _decile_loss(task: CutoffResult) -> FloatArray:
    quantiles = task.forecast.quantiles
    deciles = np.stack([np.interp(DECILES, quantiles.levels, step) for step in zip(*quantiles.values, strict=True)], axis=1)
    miss = task.actual - deciles
    loss: FloatArray = 2 * np.maximum(DECILES[:, np.newaxis] * miss, (DECILES[:, np.newaxis] - 1) * miss).mean(axis=0)
    return loss


GIFT: Mapping[str, Figure] = {"ND": nd, "ND of the value": nd_of_prediction, "ND of the naive": nd_of_naive, "CRPS": crps}
