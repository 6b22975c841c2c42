"""A choice per lead time: for each group of lead times the candidate that was best there, blends included.

    up to 6 h   │ 6–24 h │ day 2          │ day 3
    last_value  │ theta  │ blend_weighted │ hour_median days=14

So that what a long job says of tomorrow is as good as what a short one says. The candidate that stands for a group in the score
of a fold was chosen on the other folds; the one that is delivered was chosen on all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from shared.domain.timegrid import lead_groups
from worker.models.base import FloatArray
from worker.pipeline.ensembles.recipe import Composite, Recipe, alone, part_at
from worker.pipeline.ensembles.tried import Folds, Tried, tried

BY_LEAD_TIME = "by_lead_time"
MIN_FOLDS = 2  # one to choose on, another to score
MIN_CANDIDATES = 2


def by_lead_time(singles: Tried, blends: Sequence[Composite], step_seconds: int) -> Composite | None:
    """The choice per lead time; None where there is nothing to choose: one fold, one group of lead times, one candidate."""
    everyone = tried([*singles.scores, *(blend.score for blend in blends)], singles.by, singles.every)
    groups = [slice(first - 1, last) for first, last in lead_groups(step_seconds, singles.actual.shape[1])]
    if min(len(everyone.folds) - MIN_FOLDS, len(groups) - MIN_FOLDS, len(everyone.scores) - MIN_CANDIDATES) < 0:
        return None
    recipes = [*(alone(score.candidate) for score in singles.scores), *(blend.recipe for blend in blends)]
    chosen = [_best(everyone, everyone.folds, group) for group in groups]
    parts: Recipe = tuple(
        replace(part_at(recipes[place], group.start + 1), first_step=group.start + 1)
        for place, group in zip(chosen, groups, strict=True)
    )
    labels = [everyone.scores[place].candidate.label for place in chosen]
    made_of = ", ".join(f"from step {part.first_step} {label}" for part, label in zip(parts, labels, strict=True))
    forecasts = [_forecast(everyone, fold, groups) for fold in everyone.folds]
    return singles.composite(BY_LEAD_TIME, made_of, parts, forecasts)


def _forecast(everyone: Tried, fold: int, groups: Sequence[slice]) -> FloatArray:
    """Of a fold, by those that are best in the other folds."""
    others = everyone.apart_from(fold)
    return np.concatenate([everyone.forecasts[_best(everyone, others, group), fold, group] for group in groups])


def _best(everyone: Tried, folds: Folds, group: slice) -> int:
    """Who misses least in these steps; where none of them can be counted, in all."""
    losses = everyone.losses(folds, group)
    if np.isnan(losses).any():
        losses = everyone.losses(folds)
    return int(np.argmin(losses))  # where nothing at all can be counted the first, which is the cheapest
