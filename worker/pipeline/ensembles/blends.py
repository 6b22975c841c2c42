"""The blends: in each step the median of what their members forecast, which outvotes the odd one out.

Their backtest is computed from the members' recorded forecasts and costs no fit; delivering one costs its members' refits. What
scores a fold was learned on the others, so that a blend is no better there than it will be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

import numpy as np

from shared.domain.forecasts import Candidate
from shared.domain.recipes import Member, Part
from shared.domain.search_space import REFERENCE
from worker.pipeline.ensembles.recipe import Composite, candidates_in, combined
from worker.pipeline.ensembles.tried import Folds, Tried
from worker.pipeline.ensembles.weighted import MEMBERS, MIN_MEMBERS, weighted_blend

BLEND_WEIGHTED = "blend_weighted"
BLEND_CHEAP = "blend_cheap"
BLEND_TOP3 = "blend_top3"
BLENDS = (BLEND_WEIGHTED, BLEND_TOP3, BLEND_CHEAP)  # the robust rule prefers the first of those that are made

# Four cheap models that err in different directions: yesterday, an average week, a damped trend, a smooth level.
CHEAP = (
    REFERENCE,
    Candidate(model="hour_mean", hyperparameters={"days": 7}),
    Candidate(model="theta"),
    Candidate(model="ces"),
)
MADE_OF = {BLEND_WEIGHTED: MEMBERS, BLEND_CHEAP: CHEAP}  # of the third of whatever was best
TOP = 3

Votes = Sequence[tuple[int, float]]  # place of a candidate, and how many it has; heaviest first


def blends_of(tried: Tried, requested: Collection[str], step_seconds: int) -> tuple[Composite, ...]:
    """The blends that these scores allow, of those that are requested."""
    makers: dict[str, Callable[[Tried], Composite | None]] = {
        BLEND_WEIGHTED: partial(weighted_blend, name=BLEND_WEIGHTED, step_seconds=step_seconds),
        BLEND_TOP3: partial(_blend, name=BLEND_TOP3, votes_by=_best_three),
        BLEND_CHEAP: partial(_blend, name=BLEND_CHEAP, votes_by=_cheap),
    }
    made = (makers[name](tried) for name in BLENDS if name in requested)
    return tuple(blend for blend in made if blend is not None)


def _blend(tried: Tried, *, name: str, votes_by: Callable[[Tried, Folds], Votes]) -> Composite | None:
    if len(votes_by(tried, tried.folds)) < MIN_MEMBERS:
        return None
    recipe = (_part(tried, votes_by(tried, tried.folds)),)
    learned = [(_part(tried, votes_by(tried, tried.apart_from(fold))),) for fold in tried.folds]
    forecasts = [combined(each, partial(tried.forecast, fold)) for fold, each in enumerate(learned)]
    labels = ", ".join(candidate.label for candidate in candidates_in(recipe))
    return tried.composite(name, labels, recipe, forecasts, learned)


def _part(tried: Tried, votes: Votes) -> Part:
    return Part(members=tuple(Member(candidate=tried.scores[place].candidate, weight=weight) for place, weight in votes))


def _equal(tried: Tried) -> Votes:
    return [(place, 1.0) for place in range(len(tried.scores))]


def _cheap(tried: Tried, _folds: Folds) -> Votes:
    known = [score.candidate for score in tried.scores]
    return [(known.index(candidate), 1.0) for candidate in CHEAP if candidate in known]


def _best_three(tried: Tried, folds: Folds) -> Votes:
    if not folds:
        return _equal(tried)
    return [(int(place), 1.0) for place in np.argsort(tried.losses(folds), kind="stable")[:TOP]]
