"""The weighted blend: in each step the weighted median of members that err in different directions.

    votes     ▇ same hour last week   ▅ last 6 hours   ▃ theta   ▁ yesterday   …      of each group of lead times its own
    forecast  ──────────────────────────────────────────────────────▶ value      half of the votes lie on either side of it
                      ▃       ▅  ▇     ▁

Votes are what a member has from the start (it is known who is good at which lead time), times 1 over its error there, cubed. The
error is the geometric mean over folds of the MAE, of newer folds more than of older ones, drawn towards what the member misses
at all lead times. The votes that score a fold are learned on those that share no step with it; the votes that are delivered, on
all. Members are no candidates by themselves: each one more among those that are ranked makes the choice worse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from shared.domain.accuracy import ZERO
from shared.domain.choice import Ranking
from shared.domain.forecasts import Candidate
from shared.domain.recipes import Member, Part, Recipe
from shared.domain.search_space import REFERENCE
from shared.domain.timegrid import SECONDS_PER_DAY, lead_groups
from worker.models.base import FloatArray
from worker.pipeline.ensembles.recipe import Composite, blended
from worker.pipeline.ensembles.tried import Folds, Tried

Groups = Sequence[tuple[int, int | None]]  # first and last step (1, 2, …) of each group of lead times

MIN_MEMBERS = 3  # the median of two is their mean, and one bad one spoils that

LAST_VALUE = Candidate(model="last_value")
LAST_WEEK = Candidate(model="seasonal_naive", hyperparameters={"days": 7})
RECENT = {hours: Candidate(model="recent_median", hyperparameters={"hours": hours}) for hours in (6, 24, 168)}
SAME_HOUR = Candidate(model="hour_median", hyperparameters={"days": 7})
FADING = Candidate(model="fading_median", hyperparameters={"fade": 0.6, "weekday": 1.0})
WEEKDAY = Candidate(model="fading_median", hyperparameters={"fade": 0.85, "weekday": 4.0})
THETA, CES = Candidate(model="theta"), Candidate(model="ces")

ARITHMETIC = (LAST_VALUE, REFERENCE, LAST_WEEK, *RECENT.values(), SAME_HOUR, FADING, WEEKDAY)
MEMBERS = (*ARITHMETIC, THETA, CES)

# Chosen on the tuning half of the series of tests/bench/forecast.py and checked on the other. WAPE of the seasonal naive's at 24
# and 72 steps on the check half: 0.78 and 0.77, where one blend of everything, learned on three folds, had 0.83 and 0.81. Further
# members (MSTL, MFLES, the trend of a week) brought nothing, and weights without a prior and without groups less.
FIRST_DAY: Mapping[str, float] = {
    **{member.label: 2.0 for member in (LAST_WEEK, RECENT[6], LAST_VALUE)},
    **{member.label: 0.5 for member in (SAME_HOUR, THETA, FADING, RECENT[168])},
}
LATER: Mapping[str, float] = {LAST_WEEK.label: 2.0, WEEKDAY.label: 0.5}
POWER = 3  # votes = 1 / error ** POWER
FADE = 0.85  # a fold counts so many times as much as the one after it
POOLED = 3.0  # a group's error counts as if it had so many folds of the error at all lead times
AIM = 0.5  # half of the way to what a percentage error rewards
NEGLIGIBLE = 1e-6  # of the actual values: smaller errors are all alike
LEAST_SHARE = 0.005  # of the votes; members with less are not fitted again


def weighted_blend(tried: Tried, *, name: str, step_seconds: int) -> Composite | None:
    """The blend of those of its members that have a score; None where they are too few."""
    places = [place for place, score in enumerate(tried.scores) if score.candidate in MEMBERS]
    if len(places) < MIN_MEMBERS:
        return None
    members = [tried.scores[place].candidate for place in places]
    groups = lead_groups(step_seconds, tried.actual.shape[1])
    aim = AIM if tried.by is Ranking.MAPE else 0.0
    learning = learn(members, tried.forecasts[places], tried.actual, groups, step_seconds)
    delivered, apart = votes(learning, tried.folds), [*map(tried.apart_from, tried.folds)]
    made = fold_blends(learning, tried.forecasts[places], groups, apart, aim=aim)
    learned = [_recipe(members, votes(learning, others), groups, aim) for others in apart]
    recipe = _recipe(members, delivered, groups, aim)
    return tried.composite(name, _made_of(members, delivered, groups), recipe, [*made], learned)


def _recipe(members: Sequence[Candidate], shares: FloatArray, groups: Groups, aim: float) -> Recipe:
    return tuple(
        Part(first_step=first, members=_heaviest_first(members, shares[:, place]), aim=aim)
        for place, (first, _) in enumerate(groups)
    )


class Learning(NamedTuple):
    """What votes are learned from: what members have from the start, and log of the MAE in each fold; NaN without any value.

    Shapes (members, groups) and (members, folds, groups).
    """

    prior: FloatArray
    logs: FloatArray


def learn(members: Sequence[Candidate], forecasts: FloatArray, actual: FloatArray, groups: Groups, step_seconds: int) -> Learning:
    """What is to be learned of these forecasts.

    Args:
        forecasts: shape (members, folds, steps). actual: shape (folds, steps), NaN where there is no value.
    """
    ends_first_day = [last is not None and last * step_seconds <= SECONDS_PER_DAY for _, last in groups]
    prior = [[(FIRST_DAY if is_first else LATER).get(each.label, 1.0) for is_first in ends_first_day] for each in members]
    return Learning(np.array(prior), _log_errors(forecasts, actual, groups))


def fold_blends(learning: Learning, forecasts: FloatArray, groups: Groups, apart: Sequence[Folds], *, aim: float) -> FloatArray:
    """The blend of each fold, by votes that others give; shape (folds, steps).

    Args:
        apart: of each fold those that it is learned on.
    """
    return np.stack([_of_fold(forecasts[:, fold], votes(learning, others), groups, aim) for fold, others in enumerate(apart)])


def _log_errors(forecasts: FloatArray, actual: FloatArray, groups: Groups) -> FloatArray:
    known = np.isfinite(actual)
    errors = np.where(known, np.abs(forecasts - actual), 0.0)
    counts = np.stack([known[:, first - 1 : last].sum(axis=-1) for first, last in groups], axis=-1)
    sums = np.stack([errors[..., first - 1 : last].sum(axis=-1) for first, last in groups], axis=-1)
    least = max(NEGLIGIBLE * float(np.abs(actual[known]).mean()) if known.any() else 0.0, ZERO)
    logs: FloatArray = np.where(counts > 0, np.log(np.maximum(sums / np.maximum(counts, 1), least)), np.nan)
    return logs


def votes(learning: Learning, folds: Folds) -> FloatArray:
    """What members have after these folds, oldest first; shape (members, groups), 1 in each group together."""
    known = learning.logs[:, folds]
    counted = np.isfinite(known[:1]) * FADE ** np.arange(len(folds))[::-1, np.newaxis]
    total, mass = (np.nan_to_num(known) * counted).sum(axis=1), counted.sum(axis=1)
    overall = total.sum(axis=1, keepdims=True) / max(float(mass.sum()), ZERO)
    error = (total + POOLED * overall) / (mass + POOLED)
    weights: FloatArray = learning.prior * np.exp(-POWER * (error - error.min(axis=0)))
    weights /= weights.sum(axis=0)
    return weights


def _of_fold(forecasts: FloatArray, shares: FloatArray, groups: Groups, aim: float) -> FloatArray:
    parts = [blended(forecasts[:, first - 1 : last], shares[:, place], aim=aim) for place, (first, last) in enumerate(groups)]
    return np.concatenate(parts)


def _heaviest_first(members: Sequence[Candidate], shares: FloatArray) -> tuple[Member, ...]:
    order = np.argsort(-shares, kind="stable")
    kept = [int(place) for place in order if shares[place] >= LEAST_SHARE]
    return tuple(Member(candidate=members[place], weight=float(shares[place])) for place in kept)


def _made_of(members: Sequence[Candidate], shares: FloatArray, groups: Groups) -> str:
    """The members with their share of the votes, over all steps: `theta 21 %, last_value 14 %, …`."""
    steps = np.array([(last or first) - first + 1 for first, last in groups])
    mean = shares @ steps / steps.sum()
    order = [int(place) for place in np.argsort(-mean, kind="stable") if mean[place] >= LEAST_SHARE]
    return ", ".join(f"{members[place].label} {100 * mean[place]:.0f} %" for place in order)
