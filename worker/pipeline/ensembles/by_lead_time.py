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

from shared.domain.recipes import Recipe
from shared.domain.timegrid import lead_groups
from worker.pipeline.ensembles.recipe import Composite, alone, part_at
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
    of_singles = [alone(score.candidate) for score in singles.scores]
    chosen = [_best(everyone, everyone.folds, group) for group in groups]
    parts = _parts(chosen, [*of_singles, *(blend.recipe for blend in blends)], groups)
    labels = [everyone.scores[place].candidate.label for place in chosen]
    made_of = ", ".join(f"from step {part.first_step} {label}" for part, label in zip(parts, labels, strict=True))
    forecasts, learned = [], []
    for fold in everyone.folds:
        best = [_best(everyone, everyone.apart_from(fold), group) for group in groups]
        made = [everyone.forecasts[place, fold, group] for place, group in zip(best, groups, strict=True)]
        forecasts.append(np.concatenate(made))
        learned.append(_parts(best, [*of_singles, *(blend.by_fold[fold] for blend in blends)], groups))
    return singles.composite(BY_LEAD_TIME, made_of, parts, forecasts, learned)


def _parts(chosen: Sequence[int], recipes: Sequence[Recipe], groups: Sequence[slice]) -> Recipe:
    """For each group the part of the chosen recipe that forecasts it."""
    return tuple(
        replace(part_at(recipes[place], group.start + 1), first_step=group.start + 1)
        for place, group in zip(chosen, groups, strict=True)
    )


def _best(everyone: Tried, folds: Folds, group: slice) -> int:
    """Who misses least in these steps; where none of them can be counted, in all."""
    losses = everyone.losses(folds, group)
    if np.isnan(losses).any():
        losses = everyone.losses(folds)
    return int(np.argmin(losses))  # where nothing at all can be counted the first, which is the cheapest
