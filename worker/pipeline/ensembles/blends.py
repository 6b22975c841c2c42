"""The blends: in each step the median of what their members forecast, which outvotes the odd one out.

A member of the weighted blend has so many votes as its backtest was good:

    votes     ▇ theta   ▅ seasonal_naive days=1   ▃ hour_median days=7   ▁ prophet   …     one over its error, squared
    forecast  ──────────────────────────────────────────────────────▶ value      half of the votes lie on either side of it
                      ▃       ▅  ▇     ▁

Their backtest is computed from the members' recorded forecasts and costs no fit; delivering one costs its members' refits. The
votes that score a fold are those that the other folds give (with one fold only, equal ones of all), so that a blend is no better
there than it will be; the votes that are delivered are those of all folds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

import numpy as np

from shared.domain.accuracy import ZERO
from shared.domain.forecasts import Candidate
from shared.domain.search_space import REFERENCE
from worker.models.base import FloatArray
from worker.pipeline.ensembles.recipe import Composite, Member, Part, candidates_in, combined
from worker.pipeline.ensembles.tried import Folds, Tried, without

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
MIN_MEMBERS = 3  # members: the median of two is their mean, and one bad one spoils that
TOP = 3

# Of the weighted blend: its WAPE, where it need not beat the reference forecast, is 0.807 of that one's at 24 steps and 0.801 at
# 72 on the tuning half of tests/bench/forecast.py. Equal weights 0.892 and 0.836, a weighted mean 0.949 and 0.903, the lowest
# MAPE alone 0.877 and 0.931; POWER 1 0.811 and 0.806, 4 0.812 and 0.799; RECENCY 1 0.829 and 0.784, 4 0.799 and 0.808; with all
# members 0.807 and 0.800.
POWER = 2  # weight = 1 / error ** POWER
RECENCY = 3  # a fold counts so many times as much as the one before it: half of the worst misses came after a change of level
CARRIED = 0.9  # share of the weight that the members taken have together; the rest would cost refits and change little
NEGLIGIBLE = 1e-6  # of the actual values: smaller errors are all alike

Votes = Sequence[tuple[int, float]]  # place of a candidate, and how many it has; heaviest first


def blends_of(tried: Tried, requested: Collection[str]) -> tuple[Composite, ...]:
    """The blends that these scores allow, of those that are requested."""
    makers: dict[str, Callable[[Tried, Folds], Votes]] = {
        BLEND_WEIGHTED: _weighted,
        BLEND_TOP3: _best_three,
        BLEND_CHEAP: _cheap,
    }
    return tuple(
        _blend(name, tried, makers[name])
        for name in BLENDS
        if name in requested and len(makers[name](tried, tried.folds)) >= MIN_MEMBERS
    )


def _blend(name: str, tried: Tried, votes_by: Callable[[Tried, Folds], Votes]) -> Composite:
    recipe = (_part(tried, votes_by(tried, tried.folds)),)
    forecasts = []
    for fold in tried.folds:
        learned = (_part(tried, votes_by(tried, without(fold, tried.folds))),)
        forecasts.append(combined(learned, partial(tried.forecast, fold)))
    labels = ", ".join(candidate.label for candidate in candidates_in(recipe))
    return tried.composite(name, labels, recipe, forecasts)


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


def _weighted(tried: Tried, folds: Folds) -> Votes:
    """Those that carry the weight, heaviest first: 1 / error², the error being the geometric mean over folds of the MAE.

    A geometric mean, since one wild fold would speak for all the others in a sum.
    """
    errors = np.stack([_mean(tried.errors[:, fold]) for fold in folds], axis=1) if folds else np.empty((len(tried.scores), 0))
    recency = np.where(np.isfinite(errors[0]), float(RECENCY) ** np.array(folds, dtype=np.float64), 0.0)  # a fold may be empty
    if not recency.sum():
        return _equal(tried)
    size = float(np.nanmean(np.abs(tried.actual)))
    logs = np.log(np.nan_to_num(errors) + max(NEGLIGIBLE * size, ZERO)) @ recency / recency.sum()
    weights = np.exp(-POWER * (logs - logs.min()))
    weights /= weights.sum()
    order = np.argsort(-weights, kind="stable")
    carrying = int(np.searchsorted(np.cumsum(weights[order]), CARRIED)) + 1
    return [(int(place), float(weights[place])) for place in order[: max(MIN_MEMBERS, carrying)]]


def _mean(errors: FloatArray) -> FloatArray:
    """Of each candidate, over the steps that have a value; NaN without any."""
    scored = errors[:, np.isfinite(errors[0])]
    return scored.mean(axis=1) if scored.shape[1] else np.full(len(errors), np.nan)
