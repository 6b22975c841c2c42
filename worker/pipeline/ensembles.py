"""The blends: candidates of candidates. In each step the median of what their members forecast, which outvotes the odd one out.

A member of the weighted blend has so many votes as its backtest was good:

    votes     ▇ theta   ▅ seasonal_naive days=1   ▃ hour_median days=7   ▁ prophet   …     one over its error, squared
    forecast  ──────────────────────────────────────────────────────▶ value      half of the votes lie on either side of it
                      ▃       ▅  ▇     ▁

Their backtest is computed from the members' recorded forecasts and costs no fit; delivering one costs its members' refits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from shared.domain.accuracy import ZERO
from shared.domain.forecasts import Candidate, Score, WindowForecast
from shared.domain.jobs import JobRequest
from shared.domain.search_space import REFERENCE
from worker.models.base import FloatArray
from worker.pipeline.measures import actual_of, errors_of, measured, prediction_of

BLEND_WEIGHTED = "blend_weighted"
BLEND_CHEAP = "blend_cheap"
BLEND_TOP3 = "blend_top3"
BLENDS = (BLEND_WEIGHTED, BLEND_TOP3, BLEND_CHEAP)  # the first of those that are made is preferred

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A candidate that takes part in a forecast, and how many votes it has."""

    candidate: Candidate
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """A blend that was scored, and what it is made of, best first."""

    score: Score
    members: tuple[Member, ...]


def wanted_blends(request: JobRequest) -> tuple[str, ...]:
    """The blends that a request asks for: all with "auto", else those it names."""
    return tuple(name for name in BLENDS if request.model == "auto" or name in request.model)


def blends_of(ranked: Sequence[Score], requested: Collection[str]) -> tuple[Blend, ...]:
    """The blends that these scores allow.

    Args:
        ranked: of single candidates, best first, all on the same folds.
        wanted: names of blends; others are not made.
    """
    members = {
        BLEND_WEIGHTED: _weighted(ranked),
        BLEND_TOP3: [(score, 1.0) for score in ranked[:TOP]],
        BLEND_CHEAP: [(score, 1.0) for candidate in CHEAP for score in ranked if score.candidate == candidate],
    }
    reference = next((score for score in ranked if score.candidate == REFERENCE), None)
    possible = [name for name in BLENDS if name in requested and len(members[name]) >= MIN_MEMBERS]
    return tuple(_blend(name, members[name], reference.windows if reference else ()) for name in possible)


def blended(forecasts: Sequence[FloatArray], weights: Sequence[float]) -> FloatArray:
    """The weighted median of each step, of equal weights the median: arrays of one shape, at least one, each with its weight."""
    stacked = np.stack(forecasts)
    order = np.argsort(stacked, axis=0, kind="stable")
    votes = np.cumsum(np.asarray(weights, dtype=np.float64)[order], axis=0)
    half = votes[-1] / 2
    ranked = np.take_along_axis(stacked, order, axis=0)
    lower, upper = (np.argmax(reached, axis=0, keepdims=True) for reached in (votes >= half, votes > half))
    median: FloatArray = (np.take_along_axis(ranked, lower, axis=0)[0] + np.take_along_axis(ranked, upper, axis=0)[0]) / 2
    return median


def _weighted(scores: Sequence[Score]) -> list[tuple[Score, float]]:
    """Those that carry the weight, heaviest first: 1 / error², the error being the geometric mean over folds of the MAE.

    A geometric mean, since one wild fold would speak for all the others in a sum.
    """
    if not scores or not scores[0].windows:
        return []
    errors = np.array([[_mean_error(fold) for fold in score.windows] for score in scores])
    size = np.nanmean(np.concatenate([np.abs(actual_of(fold)) for fold in scores[0].windows]))
    recency = np.where(np.isfinite(errors[0]), float(RECENCY) ** np.arange(errors.shape[1]), 0.0)  # a fold may have no value
    logs = np.log(np.nan_to_num(errors) + max(NEGLIGIBLE * size, ZERO)) @ recency / recency.sum()
    weights = np.exp(-POWER * (logs - logs.min()))
    weights /= weights.sum()
    order = np.argsort(-weights, kind="stable")
    carrying = int(np.searchsorted(np.cumsum(weights[order]), CARRIED)) + 1
    return [(scores[index], float(weights[index])) for index in order[: max(MIN_MEMBERS, carrying)]]


def _blend(name: str, members: Sequence[tuple[Score, float]], reference: Sequence[WindowForecast]) -> Blend:
    """Scored like any other candidate; `seconds` is 0, since its members' seconds are counted with them."""
    scores, weights = [score for score, _ in members], [weight for _, weight in members]
    like, folds = scores[0].windows, []
    for index, theirs in enumerate(zip(*(score.windows for score in scores), strict=True)):
        prediction = blended([prediction_of(fold) for fold in theirs], weights)
        fold = replace(theirs[0], prediction=tuple(prediction.tolist()))
        folds.append(replace(fold, measures=measured([fold], reference[index : index + 1], like=theirs[:1])))
    candidate = Candidate(model=name, hyperparameters={"members": ", ".join(score.candidate.label for score in scores)})
    overall = measured(folds, reference, like=like)
    made_of = tuple(Member(candidate=score.candidate, weight=weight) for score, weight in members)
    return Blend(score=Score(candidate=candidate, measures=overall, windows=tuple(folds), seconds=0.0), members=made_of)


def _mean_error(fold: WindowForecast) -> float:
    errors = errors_of(fold)
    scored = errors[np.isfinite(errors)]
    return float(scored.mean()) if len(scored) else float("nan")
