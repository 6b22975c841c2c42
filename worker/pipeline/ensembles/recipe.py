"""What a winner's forecast is made of: for each part of the horizon the candidates that take part, with their votes.

recipe of a single candidate    │ theta                                 │
of a blend                      │ theta ▇  ces ▅  hour_median ▃         │
of a choice per lead time       │ recent_median │ theta │ a blend       │
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from shared.domain.accuracy import ZERO
from shared.domain.forecasts import Candidate, Score
from shared.domain.recipes import Member, Part, Recipe
from worker.models.base import FloatArray, weighted_median

SMALLEST_RATIO, SMALLEST_SIZE = 0.1, 0.02  # of a forecast to the median, and of the median to what it is on average


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """A candidate made of others that was scored, and what its forecast is made of.

    by_fold: the same of what scored each fold, learned on others.
    """

    score: Score
    recipe: Recipe
    by_fold: tuple[Recipe, ...]


def alone(candidate: Candidate) -> Recipe:
    """The recipe of a single candidate."""
    return (Part(members=(Member(candidate=candidate),)),)


def candidates_in(recipe: Recipe) -> tuple[Candidate, ...]:
    """Each candidate that takes part, once."""
    found: list[Candidate] = []
    for candidate in (member.candidate for part in recipe for member in part.members):
        if candidate not in found:
            found.append(candidate)
    return tuple(found)


def part_at(recipe: Recipe, step: int) -> Part:
    """The part that forecasts this step (1, 2, …)."""
    return next(part for part in reversed(recipe) if part.first_step <= step)


def combined(recipe: Recipe, forecast_of: Callable[[Candidate], FloatArray]) -> FloatArray:
    """The forecast by this recipe, from those of its candidates, which are all of one shape."""
    pieces = []
    ends = [*(part.first_step - 1 for part in recipe[1:]), None]
    for part, end in zip(recipe, ends, strict=True):
        forecasts = [forecast_of(member.candidate)[part.first_step - 1 : end] for member in part.members]
        pieces.append(blended(forecasts, [member.weight for member in part.members], aim=part.aim))
    return np.concatenate(pieces)


def blended(forecasts: Sequence[FloatArray] | FloatArray, weights: ArrayLike, *, aim: float = 0.0) -> FloatArray:
    """The weighted median of each step, of equal weights the median, or what lies from it towards the least percentage error.

    Args:
        forecasts: of one shape, at least one, each with its weight.
        aim: 0 = least absolute error, 1 = least percentage error, for which votes are divided by the value; or between.
    """
    values = np.asarray(forecasts, dtype=np.float64)
    votes = np.broadcast_to(np.asarray(weights, dtype=np.float64)[:, np.newaxis], values.shape)
    median = weighted_median(values, votes)
    if not aim:
        return median
    size = max(float(np.abs(median).mean()), ZERO)
    least = SMALLEST_RATIO * np.maximum(median, SMALLEST_SIZE * size)  # forecasts next to zero would have all votes
    return weighted_median(values, votes * (np.maximum(values, least) / np.maximum(median, SMALLEST_SIZE * size)) ** -aim)
