"""How good the forecasts of a replay were, by queue and overall.

MAPE is never averaged over queues: one idle queue would speak for all. Overall is the median over queues, and for the ratio of
WAPE to that of the seasonal naive the geometric mean (Fleming and Wallace, How not to lie with statistics, CACM 29, 1986).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import fmean, median
from typing import TypeVar

import numpy as np

from shared.domain.accuracy import ZERO
from shared.domain.forecasts import Forecast, Measures
from shared.domain.replays import ReplayVerdict
from worker.models.base import FloatArray
from worker.pipeline.measures import coverage, crps, decile_loss, deciles_of, measure, pinball

MEDIANS = ("mape", "mape_shown", "wape", "crps", "smape", "mase", "skill")

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoffResult:
    """A forecast of the past beside what happened; arrays have the shape of the forecast, NaN where there is no value."""

    forecast: Forecast
    actual: FloatArray
    reference: FloatArray  # forecast at the same cutoff
    scale: float  # MASE's
    level: float  # share of the actual values that should lie between the bounds, 0–1
    seconds: float  # CPU seconds of all candidates and the refit
    seconds_by_model: Mapping[str, float] = field(default_factory=dict)  # of the backtests alone


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSummary(Measures):
    """Accuracy measures over all steps of all cutoffs of one queue, and which models won how often at what price.

    mape_shown: what the backtests of these forecasts had promised, mean over cutoffs. pinball: mean loss of both bounds, in the
    unit of the target. wape_ratio: WAPE ÷ WAPE(seasonal naive). crps_ratio: CRPS ÷ that WAPE, which is the CRPS of a forecast
    without quantiles.
    """

    mape_shown: float | None
    wape_ratio: float | None
    crps_ratio: float | None
    coverage: float | None
    pinball: float | None
    interval: float
    seconds: float
    seconds_by_model: Mapping[str, float]
    origins: int
    models: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallSummary:
    """Medians over queues, geometric means of the ratios to the seasonal naive, coverage over all steps, the rest in all."""

    mape: float | None
    mape_shown: float | None
    wape: float | None
    crps: float | None
    smape: float | None
    mase: float | None
    skill: float | None
    wape_ratio: float | None
    crps_ratio: float | None
    coverage: float | None
    seconds: float
    seconds_by_model: Mapping[str, float]
    queues: int
    origins: int
    models: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """By queue and overall.

    failures: why a cutoff has no forecast. losses: what was left out of a queue's data, or is doubtful of them.
    decisions: what rules for capacities would have cost, where that is asked; undecided: why that is not told.
    """

    queues: Mapping[str, QueueSummary]
    overall: OverallSummary
    failures: Mapping[str, Sequence[str]]
    losses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    decisions: Mapping[str, ReplayVerdict] = field(default_factory=dict)
    undecided: Mapping[str, str] = field(default_factory=dict)


def queue_summary(results: Sequence[CutoffResult]) -> QueueSummary:
    """Of one queue, at least one cutoff."""
    measures = measure((result.actual, result.forecast.prediction, result.reference, result.scale) for result in results)
    actual = np.concatenate([result.actual for result in results])
    lower = np.concatenate([result.forecast.lower_bound for result in results])
    upper = np.concatenate([result.forecast.upper_bound for result in results])
    levels = results[0].forecast.quantiles.levels
    quantiles = np.concatenate([result.forecast.quantiles.values for result in results], axis=1)
    deciles = deciles_of(quantiles, levels)
    loss = decile_loss(actual, deciles)
    shown = [result.forecast.mape for result in results if result.forecast.mape is not None]
    return QueueSummary(
        **asdict(replace(measures, crps=crps(actual, deciles))),
        mape_shown=fmean(shown) if shown else None,
        wape_ratio=None if measures.skill is None else 1 - measures.skill,
        crps_ratio=_ratio(loss, actual, np.concatenate([result.reference for result in results])),
        coverage=coverage(actual, lower, upper),
        pinball=_pinball(actual, lower, upper, results[0].level),
        interval=results[0].level,
        seconds=sum(result.seconds for result in results),
        seconds_by_model=_added(result.seconds_by_model for result in results),
        origins=len(results),
        models=dict(Counter(result.forecast.model for result in results).most_common()),
    )


def overall_summary(queues: Collection[QueueSummary]) -> OverallSummary:
    """Over all queues; of none, everything is None or zero."""
    steps = sum(queue.steps for queue in queues)
    covered = sum(queue.coverage * queue.steps for queue in queues if queue.coverage is not None)
    return OverallSummary(
        **{name: _median([getattr(queue, name) for queue in queues]) for name in MEDIANS},
        wape_ratio=_geometric_mean(queue.wape_ratio for queue in queues),
        crps_ratio=_geometric_mean(queue.crps_ratio for queue in queues),
        coverage=covered / steps if steps else None,
        seconds=sum(queue.seconds for queue in queues),
        seconds_by_model=_added(queue.seconds_by_model for queue in queues),
        queues=len(queues),
        origins=sum(queue.origins for queue in queues),
        models=_added(queue.models for queue in queues),
    )


def _geometric_mean(ratios: Iterable[float | None]) -> float | None:
    logs = [math.log(ratio) for ratio in ratios if ratio]
    return math.exp(fmean(logs)) if logs else None


def _ratio(loss: FloatArray, actual: FloatArray, reference: FloatArray) -> float | None:
    """A loss of each step ÷ the error of the reference forecast; None where that is not defined, or has no error."""
    scored = np.isfinite(actual)
    error = float(np.abs(actual - reference)[scored].sum())
    return float(loss[scored].sum()) / error if error > ZERO else None


def _pinball(actual: FloatArray, lower: FloatArray, upper: FloatArray, level: float) -> float | None:
    tail = (1 - level) / 2
    below, above = pinball(actual, lower, tail), pinball(actual, upper, 1 - tail)
    return None if below is None or above is None else (below + above) / 2


def _added(counts: Iterable[Mapping[str, Number]]) -> dict[str, Number]:
    """Sums by name, largest first."""
    sums: dict[str, Number] = {}
    for name, value in (item for summand in counts for item in summand.items()):
        sums[name] = sums[name] + value if name in sums else value
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
