"""Whether dear models may find what cheap ones miss: then a queue is worth their price, and else it is not.

A series whose days repeat, and of which averages and medians of past days nevertheless know no more than yesterday does, has a
season that changes: Prophet, VAR and MSTL learn changes. On most series they only take the choice away from what is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from shared.domain.choice import Effort
from shared.domain.forecasts import ForecastSpec
from shared.domain.jobs import JobRequest
from shared.domain.model_cards import ModelCard
from shared.domain.search_space import REFERENCE, count_candidates
from shared.domain.series_kind import SeriesKind
from shared.domain.timegrid import lead_groups
from shared.errors import TooManyCandidates
from worker.models.base import FloatArray, History
from worker.pipeline.ensembles.tried import apart
from worker.pipeline.ensembles.weighted import ARITHMETIC, LAST_WEEK, fold_blends, learn
from worker.pipeline.history import build

MIN_FOLDS = 3


def is_worth_more(
    request: JobRequest, kind: SeriesKind | None, history: History, spec: ForecastSpec, cards: Sequence[ModelCard]
) -> bool:
    """Whether "auto" is to try dear models on this queue, though it was not asked to be thorough."""
    may_be = request.model == "auto" and request.effort is Effort.NORMAL and kind is SeriesKind.SEASONAL
    return may_be and _is_accepted(thorough(request), cards) and arithmetic_skill(history, spec) <= 0


def thorough(request: JobRequest) -> JobRequest:
    """The same request, with everything tried."""
    return replace(request, effort=Effort.THOROUGH)


def _is_accepted(request: JobRequest, cards: Sequence[ModelCard]) -> bool:
    """Whether it keeps within `max_candidates`: nobody has asked for more, so more is no reason to fail."""
    try:
        return count_candidates(request, cards) > 0
    except TooManyCandidates:
        return False


def arithmetic_skill(history: History, spec: ForecastSpec) -> float:
    """Skill of the blend of what costs nothing, on the folds of the backtest but for how each was prepared; 1 = not known."""
    first, length = history.length - spec.held_back_steps, spec.window_steps
    members = [each for each in ARITHMETIC if first > 0 and build(each).missing(_until(history, first, 0).extent(length)) is None]
    if spec.windows < MIN_FOLDS or REFERENCE not in members or LAST_WEEK not in members:  # weekends would look like change
        return 1.0
    cutoffs = [first + fold * spec.stride for fold in range(spec.windows)]
    actual = np.stack([history.target[cutoff : cutoff + length] for cutoff in cutoffs])
    past = [_until(history, cutoff, length) for cutoff in cutoffs]
    forecasts = np.stack([[build(each).forecast(known, length) for known in past] for each in members])
    groups, folds = lead_groups(spec.step_seconds, length), [*range(spec.windows)]
    others = [apart(fold, folds, every=spec.stride, steps=length) for fold in folds]
    made = fold_blends(learn(members, forecasts, actual, groups, spec.step_seconds), forecasts, groups, others, aim=0.0)
    reference = _error(forecasts[members.index(REFERENCE)], actual)
    return 1 - _error(made, actual) / reference if reference > 0 else 1.0


def _until(history: History, cutoff: int, horizon: int) -> History:
    ahead = cutoff + horizon
    return replace(
        history,
        target=history.target[:cutoff],
        covariates=history.covariates[:cutoff],
        features=lambda: history.calendar.iloc[:ahead],
        times=history.times[:ahead],
    )


def _error(forecasts: FloatArray, actual: FloatArray) -> float:
    return float(np.abs(forecasts - actual).sum())
