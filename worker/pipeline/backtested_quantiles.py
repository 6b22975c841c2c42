"""How good the quantiles of the winner, and of blends, were in the backtest: their CRPS, for the leaderboard.

    fold       1   2   3   4   5
    fold 3         made from what 1, 2, 4, 5 missed by, from the days before it, and from what its members forecast of it
               ▲   ▲       ▲   ▲      folds that share a step with it are left out

No model is fitted for it. Effects of occasions and regressors are in the members' forecasts, and not in the days before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from shared.domain.distribution import levels_of
from shared.domain.forecasts import ForecastSpec, Outcome, Score, WindowForecast
from shared.domain.recipes import Recipe
from shared.domain.timegrid import steps_per_day
from worker.models.base import FloatArray
from worker.pipeline.distribution.evidence import Evidence, groups_of, misses_of, newest_first, recent_windows
from worker.pipeline.distribution.kinds import Dates, Kinds, kinds_of
from worker.pipeline.distribution.pool import at_levels
from worker.pipeline.distribution.quantiles import step_quantiles
from worker.pipeline.distribution.whole import Made
from worker.pipeline.ensembles.recipe import candidates_in
from worker.pipeline.ensembles.tried import apart
from worker.pipeline.history import clip
from worker.pipeline.measures import actual_of, crps, prediction_of
from worker.pipeline.selection.choose import Selection
from worker.pipeline.snapshot import Snapshot
from worker.pipeline.special import ordinary_folds
from worker.pipeline.timeline import timeline


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
    levels = levels_of(spec.interval, spec.quantiles)
    quantiles = _quantiles(outcome, recipes, {each.candidate.label: each for each in selection.singles}, snapshot, spec)
    told = {fold: at_levels(fine, levels) for fold, fine in quantiles.items()}
    if not told:
        return outcome
    actual = {fold: actual_of(outcome.windows[fold]) for fold in told}
    windows = [
        _with(window, crps(actual[fold], told[fold], levels)) if fold in told else window
        for fold, window in enumerate(outcome.windows)
    ]
    overall = crps(np.concatenate([*actual.values()]), np.concatenate([*told.values()], axis=1), levels)
    return replace(outcome, measures=replace(outcome.measures, crps=overall), windows=tuple(windows))


def _with(window: WindowForecast, found: float | None) -> WindowForecast:
    return replace(window, measures=replace(window.measures, crps=found))


def _quantiles(
    score: Score, recipes: Sequence[Recipe], singles: Mapping[str, Score], snapshot: Snapshot, spec: ForecastSpec
) -> dict[int, FloatArray]:
    """Of each fold that others are apart from, at `FINE`."""
    values = snapshot.without(spec.exclude).frame[spec.target].to_numpy(dtype=np.float64)
    usual, folds = ordinary_folds(score.windows, snapshot, spec), [*range(len(score.windows))]
    clock = timeline(snapshot.grid, snapshot.start_at, snapshot.length, spec).clock
    dates = Dates.of(clock.times[clock.places])
    found = {}
    for fold, (window, recipe) in enumerate(zip(score.windows, recipes, strict=True)):
        others = [usual[other] for other in apart(fold, folds, every=spec.stride, steps=spec.window_steps)]
        if not others:
            continue
        members = {each.label: prediction_of(singles[each.label].windows[fold]) for each in candidates_in(recipe)}
        made = Made(prediction=prediction_of(window), recipe=recipe, forecasts=members)
        cutoff = spec.grid.steps_between(snapshot.start_at, window.origin_at)
        kinds = kinds_of(values[:cutoff], dates, steps_per_day(spec.step_seconds))
        known = _evidence(made, others, values[:cutoff], kinds, spec, origin_at=window.origin_at)
        found[fold] = clip(step_quantiles(known), spec.bounds)
    return found


def _evidence(
    made: Made, folds: Sequence[WindowForecast], before: FloatArray, kinds: Kinds, spec: ForecastSpec, *, origin_at: datetime
) -> Evidence:
    """What is known of a forecast of the fold that begins there, from others and from the history before it."""
    lead, season = np.arange(spec.window_steps), kinds.season
    recent, alike = recent_windows(before, lead, season, kinds)
    ahead = [spec.grid.steps_between(origin_at, other.origin_at) for other in newest_first(folds)]
    return Evidence(
        prediction=made.prediction,
        misses=misses_of(folds, lead, season),
        recent=recent,
        alike=alike,
        is_weekend=kinds.at(lead),
        missed_on_weekend=kinds.at(np.array(ahead)[:, np.newaxis] + lead),
        members=np.stack([*made.forecasts.values()]),
        votes=made.votes(),
        lead=lead,
        season=season,
        groups=groups_of(spec.step_seconds, lead),
    )
