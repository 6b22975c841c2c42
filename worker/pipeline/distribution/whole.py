"""All of a forecast's distribution, in one go: quantiles of steps and of days' maxima, and paths; they agree with each other.

No quantile of a day's maximum is below that of any of its steps, and a day of a single step has the step's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist

import numpy as np

from shared.domain.distribution import Origin, block_name
from shared.domain.forecasts import ForecastSpec, WindowForecast
from shared.domain.outlook import MAX_STEPS
from shared.domain.recipes import Recipe
from worker.models.base import FloatArray
from worker.pipeline.distribution.evidence import Evidence, groups_of, misses_of, newest_first, places_missed, recent_windows
from worker.pipeline.distribution.kinds import Kinds, kinds_of
from worker.pipeline.distribution.paths import JointPaths, joint_paths
from worker.pipeline.distribution.peaks import Past, peak_quantiles, tops
from worker.pipeline.distribution.pool import FINE, MIDDLE
from worker.pipeline.distribution.quantiles import step_quantiles
from worker.pipeline.history import Known, clip
from worker.pipeline.measures import actual_of, prediction_of

NORMAL = np.array([NormalDist().inv_cdf(level) for level in FINE.tolist()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Quantiles at `FINE`, shapes (len(FINE), horizon) and (len(FINE), days), and joint paths, shape (paths, horizon).

    blocks, windows: whole folds and recent days that the paths were made from.
    drawn_from: the name of the block that each path came from, the same for all queues that are forecast together.
    """

    steps: FloatArray
    peaks: FloatArray
    paths: FloatArray
    blocks: int
    windows: int
    drawn_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A prediction, the recipe of those that tell how far off it may be, mostly its own, and what they say, by label.

    All of shape (horizon,).
    """

    prediction: FloatArray
    recipe: Recipe
    forecasts: Mapping[str, FloatArray]

    def votes(self) -> FloatArray:
        """Of each of the forecasts at each step."""
        votes = {label: np.zeros(len(self.prediction)) for label in self.forecasts}
        ends = [*(part.first_step - 1 for part in self.recipe[1:]), None]
        for part, end in zip(self.recipe, ends, strict=True):
            for member in (each for each in part.members if each.candidate.label in votes):
                votes[member.candidate.label][part.first_step - 1 : end] = member.weight
        return np.stack([*votes.values()])


def distribution(
    made: Made, folds: Sequence[WindowForecast], known: Known, spec: ForecastSpec, *, end_at: datetime, first: int = 0
) -> Distribution:
    """What may come instead of the prediction, from step `first` (0, 1, …) on, inside the physical range.

    Args:
        folds: the winner's backtest, as far as it says something of ordinary steps at the present level.
        end_at: the end of the history.
    """
    kinds = kinds_of(known.history.target, known.dates, known.history.steps_per_day)
    backs = [spec.grid.steps_between(fold.origin_at, end_at) for fold in newest_first(folds)]
    evidence = _evidence(made, folds, known, spec, first, kinds=kinds, backs=backs)
    spread = known.ahead_in_utc().spread[first:]
    steps = clip(_widened(step_quantiles(evidence), evidence.prediction, spread), spec.bounds)
    peaks = _peaks(evidence, folds, known, kinds, backs)
    least = np.stack([tops(row, evidence.season) for row in steps])  # a day's maximum is no lower than any of its steps
    is_one_step = np.diff([*range(0, evidence.horizon, evidence.season), evidence.horizon]) == 1  # which is the maximum
    peaks = clip(np.where(is_one_step, least, np.maximum(peaks, least)), spec.bounds)
    paths, taken = _paths(evidence, steps, peaks)
    paths = clip(paths, spec.bounds)  # once more: rounding may leave it by a bit
    names = _names(folds, end_at, days=len(evidence.recent))
    is_whole = len(folds[0].actual) > evidence.lead[-1]  # what lies beyond the backtest repeats its last day: that is no evidence
    blocks = evidence.blocks if is_whole else 0
    drawn_from = tuple(names[block] for block in taken.tolist())
    return Distribution(steps=steps, peaks=peaks, paths=paths, blocks=blocks, windows=evidence.windows, drawn_from=drawn_from)


def _paths(evidence: Evidence, steps: FloatArray, peaks: FloatArray) -> JointPaths:
    if evidence.horizon > MAX_STEPS:
        return JointPaths(np.empty((0, evidence.horizon)), np.empty(0, dtype=np.int_))
    return joint_paths(evidence, steps, peaks)


def _names(folds: Sequence[WindowForecast], end_at: datetime, *, days: int) -> list[str]:
    """Of the blocks, as `JointPaths` numbers them: by the dates of the cutoffs, and of so many recent days."""
    cutoffs = [block_name(Origin.MISSES, fold.origin_at) for fold in newest_first(folds)]
    return [*cutoffs, *(block_name(Origin.DAY, end_at - timedelta(days=back + 1)) for back in range(days))]


def _evidence(
    made: Made,
    folds: Sequence[WindowForecast],
    known: Known,
    spec: ForecastSpec,
    first: int,
    *,
    kinds: Kinds,
    backs: Sequence[int],
) -> Evidence:
    lead, season = np.arange(first, len(made.prediction)), known.history.steps_per_day
    ahead = known.ahead_in_utc()
    recent, alike = recent_windows(known.history.target, known.places, season, kinds)
    missed = places_missed(len(folds[0].actual), lead, season)
    return Evidence(
        prediction=made.prediction[first:],
        misses=misses_of(folds, lead, season) * np.abs(ahead.scale[first:]),
        recent=(ahead.scale * recent + ahead.shift)[..., first:],
        alike=alike[..., first:],
        is_weekend=kinds.at(known.places[first:]),
        missed_on_weekend=kinds.at(missed - np.array(backs)[:, np.newaxis]),
        members=np.stack([*made.forecasts.values()])[:, first:],
        votes=made.votes()[:, first:],
        lead=lead,
        season=season,
        groups=groups_of(spec.step_seconds, lead),
        folds=np.array([len(folds)]),
    )


def _widened(quantiles: FloatArray, prediction: FloatArray, spread: FloatArray) -> FloatArray:
    """Quantiles that also allow for what an occasion may do otherwise than before: squares of widths add up."""
    away = np.hypot(quantiles - prediction, NORMAL[:, np.newaxis] * spread)
    is_below = (np.arange(len(FINE)) < MIDDLE)[:, np.newaxis]
    wider = np.where(is_below, prediction - away, prediction + away)
    wider[MIDDLE] = quantiles[MIDDLE]
    usual: FloatArray = np.where(spread > 0, wider, quantiles)
    return usual


def _peaks(evidence: Evidence, folds: Sequence[WindowForecast], known: Known, kinds: Kinds, backs: Sequence[int]) -> FloatArray:
    season = evidence.season
    past = [
        Past(
            back=back,
            tops=tops(_as_long(prediction_of(fold), evidence.horizon), season),
            actual=tops(_as_long(actual_of(fold), evidence.horizon), season),
        )
        for fold, back in zip(newest_first(folds), backs, strict=True)
    ]
    recent = tops(evidence.recent[:, 1], season)
    return peak_quantiles(known.seen, recent, evidence.prediction, missed=evidence.misses, folds=past, kinds=kinds)


def _as_long(values: FloatArray, horizon: int) -> FloatArray:
    """The values of a fold for as many steps as the forecast has; NaN = not backtested."""
    return np.concatenate([values[:horizon], np.full(max(0, horizon - len(values)), np.nan)])
