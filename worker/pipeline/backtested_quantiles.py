"""How good the quantiles of the winner, and of blends, were in the backtest: their CRPS, for the leaderboard.

    fold       1   2   3   4   5
    fold 3         made from what 1, 2, 4, 5 missed by, from the days before it, and from what its members forecast of it
               ▲   ▲       ▲   ▲      folds that share a step with it are left out

No model is fitted for it. Effects of occasions and regressors are in the members' forecasts, and not in the days before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shared.domain.distribution import levels_of
from shared.domain.forecasts import ForecastSpec, Outcome, Score, WindowForecast
from shared.domain.recipes import Recipe
from shared.domain.timegrid import steps_per_day
from worker.models.base import FloatArray
from worker.pipeline.distribution.evidence import Evidence, beside, groups_of, misses_of, recent_windows
from worker.pipeline.distribution.kinds import kinds_of
from worker.pipeline.distribution.pool import at_levels
from worker.pipeline.distribution.quantiles import step_quantiles
from worker.pipeline.distribution.whole import Made
from worker.pipeline.ensembles.recipe import candidates_in
from worker.pipeline.ensembles.tried import apart
from worker.pipeline.history import clip
from worker.pipeline.measures import actual_of, crps, deciles_of, prediction_of
from worker.pipeline.selection.choose import Selection
from worker.pipeline.snapshot import Snapshot
from worker.pipeline.special import ordinary_folds
from worker.pipeline.timeline import timeline
from worker.prepare.calendar import Dates

MAX_COLUMNS = 1_500  # steps of folds that quantiles are made of at a time: a few MB


def with_crps(selection: Selection, snapshot: Snapshot, spec: ForecastSpec) -> Selection:
    """The selection with the CRPS of its winner and of blends, over all folds whose quantiles others can tell."""
    board = tuple(_told(outcome, selection, snapshot, spec) for outcome in selection.leaderboard)
    scores = [outcome for outcome in board if isinstance(outcome, Score)]
    winner = next((score for score in scores if score.candidate == selection.winner.candidate), selection.winner)
    return replace(selection, leaderboard=board, winner=winner)


def _told(outcome: Outcome, selection: Selection, snapshot: Snapshot, spec: ForecastSpec) -> Outcome:
    recipes = selection.by_fold.get(outcome.candidate.label)
    if recipes is None or not isinstance(outcome, Score):
        return outcome
    quantiles = _quantiles(outcome, recipes, {each.candidate.label: each for each in selection.singles}, snapshot, spec)
    if not quantiles:
        return outcome
    levels = levels_of(spec.interval, spec.quantiles)
    deciles = deciles_of(at_levels(np.concatenate([*quantiles.values()], axis=1), levels), levels)
    told = dict(zip(quantiles, np.split(deciles, len(quantiles), axis=1), strict=True))
    actual = {fold: actual_of(outcome.windows[fold]) for fold in told}
    windows = [
        _with(window, crps(actual[fold], told[fold])) if fold in told else window for fold, window in enumerate(outcome.windows)
    ]
    overall = crps(np.concatenate([*actual.values()]), deciles)
    return replace(outcome, measures=replace(outcome.measures, crps=overall), windows=tuple(windows))


def _with(window: WindowForecast, found: float | None) -> WindowForecast:
    return replace(window, measures=replace(window.measures, crps=found))


def _quantiles(
    score: Score, recipes: Sequence[Recipe], singles: Mapping[str, Score], snapshot: Snapshot, spec: ForecastSpec
) -> dict[int, FloatArray]:
    """Of each fold that others are apart from, at `FINE`; of several folds at a time, as one by one nearly all is overhead."""
    tried = _Tried.of(score, snapshot, spec)
    told = [fold for fold, others in enumerate(tried.others) if others]
    many, found = max(1, MAX_COLUMNS // spec.window_steps), dict[int, FloatArray]()
    for some in (told[first : first + many] for first in range(0, len(told), many)):
        made = {fold: _made(score.windows[fold], recipes[fold], singles, fold) for fold in some}
        known = beside([_evidence(each, tried, fold, spec) for fold, each in made.items()])
        quantiles = clip(step_quantiles(known), spec.bounds)
        found |= zip(some, np.split(quantiles, len(some), axis=1), strict=True)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """What the folds have in common.

    values, dates: of the history.
    others: of each fold those that share no step with it, newest first.
    cutoffs: of each fold, steps before it.
    misses: of each fold as to ordinary days, shape (folds, steps).
    """

    values: FloatArray
    dates: Dates
    others: Sequence[list[int]]
    cutoffs: NDArray[np.int_]
    misses: FloatArray

    @classmethod
    def of(cls, score: Score, snapshot: Snapshot, spec: ForecastSpec) -> Self:
        """Of a backtest."""
        usual, folds = ordinary_folds(score.windows, snapshot, spec), [*range(len(score.windows))]
        steps = timeline(snapshot.grid, snapshot.start_at, snapshot.length, spec)
        cutoffs = np.array([spec.grid.steps_between(snapshot.start_at, fold.origin_at) for fold in usual])
        newest, length = np.argsort(-cutoffs, kind="stable"), spec.window_steps
        misses = np.empty((len(folds), length))
        misses[newest] = misses_of(usual, np.arange(length), steps_per_day(spec.step_seconds))
        apart_from = [{*apart(fold, folds, every=spec.stride, steps=length)} for fold in folds]
        return cls(
            values=snapshot.without(spec.exclude).frame[spec.target].to_numpy(dtype=np.float64),
            dates=steps.dates.at(steps.clock.places),
            others=[[other for other in newest.tolist() if other in those] for those in apart_from],
            cutoffs=cutoffs,
            misses=misses,
        )


def _made(window: WindowForecast, recipe: Recipe, singles: Mapping[str, Score], fold: int) -> Made:
    members = {each.label: prediction_of(singles[each.label].windows[fold]) for each in candidates_in(recipe)}
    return Made(prediction=prediction_of(window), recipe=recipe, forecasts=members)


def _evidence(made: Made, tried: _Tried, fold: int, spec: ForecastSpec) -> Evidence:
    """What is known of a forecast of this fold, from others and from the history before it."""
    lead, others, cutoff = np.arange(spec.window_steps), tried.others[fold], tried.cutoffs[fold]
    before = tried.values[:cutoff]
    kinds = kinds_of(before, tried.dates, steps_per_day(spec.step_seconds))
    recent, alike = recent_windows(before, lead, kinds.season, kinds)
    return Evidence(
        prediction=made.prediction,
        misses=tried.misses[others],
        recent=recent,
        alike=alike,
        is_weekend=kinds.at(lead),
        missed_on_weekend=kinds.at((tried.cutoffs[others] - cutoff)[:, np.newaxis] + lead),
        members=np.stack([*made.forecasts.values()]),
        votes=made.votes(),
        lead=lead,
        season=kinds.season,
        groups=groups_of(spec.step_seconds, lead),
        folds=np.array([len(others)]),
    )
