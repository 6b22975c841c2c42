"""Measures of published benchmarks: OWA of M4-Hourly, and ND and CRPS as in GIFT-Eval's bitbrains_rnd/H/short.

The latter are of 500 machines that are not at hand. Here they are of other machines of the same trace, whose figures are no
others' figures: beside them stand those of the seasonal naive on the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import mean

import numpy as np

from tests.bench.spread import Figure, Figures
from worker.backtest.summary import CutoffResult, queue_summary
from worker.models.base import FloatArray
from worker.pipeline.measures import decile_loss, deciles_of

NAIVE2_SMAPE, NAIVE2_MASE = 18.383, 2.395  # of M4-Hourly (Makridakis et al., The M4 Competition, Int. J. Forecasting 36, 2020)
M4_HOURS = 48
GIFT_HOURS, GIFT_WINDOWS = 48, 4  # its short horizon by the hour, and a tenth of the series as windows side by side


def owa(task: CutoffResult) -> float:
    """The mean of sMAPE and MASE, each ÷ that of Naive 2."""
    summary = queue_summary([task])
    return ((summary.smape or 0.0) / NAIVE2_SMAPE + (summary.mase or 0.0) / NAIVE2_MASE) / 2


def of_size(error: Callable[[CutoffResult], FloatArray]) -> Figure[tuple[float, float]]:
    """All errors of all series ÷ the sizes of all their values: large series count more."""
    return Figure(lambda task: (float(np.nansum(error(task))), float(np.nansum(np.abs(task.actual)))), _divided)


def _divided(found: Sequence[tuple[float, float]]) -> float | None:
    errors, sizes = map(sum, zip(*found, strict=True))
    return errors / sizes if sizes else None


def _decile_loss(task: CutoffResult) -> FloatArray:
    quantiles = task.forecast.quantiles
    return decile_loss(task.actual, deciles_of(np.array(quantiles.values), quantiles.levels))


OF_M4: Figures = {"OWA": Figure(owa, mean)}
# The value that is forecast aims at a low percentage error, and so below the median, which is what the table compares.
GIFT: Figures = {
    "ND": of_size(lambda task: np.abs(task.actual - np.array(task.forecast.quantiles.at(0.5)))),
    "ND of the value": of_size(lambda task: np.abs(task.actual - np.array(task.forecast.prediction))),
    "ND of the naive": of_size(lambda task: np.abs(task.actual - task.reference)),
    "CRPS": of_size(_decile_loss),
}
