"""What a winner's forecast is made of: for each part of the horizon the candidates that take part, with their votes.

recipe of a single candidate    │ theta                                 │
of a blend                      │ theta ▇  ces ▅  hour_median ▃         │
of a choice per lead time       │ recent_median │ theta │ a blend       │
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from shared.domain.forecasts import Candidate, Score
from worker.models.base import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A candidate that takes part in a forecast, and how many votes it has."""

    candidate: Candidate
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """From this step (1, 2, …) up to the next part: who takes part, heaviest first."""

    members: tuple[Member, ...]
    first_step: int = 1


Recipe = tuple[Part, ...]  # in the order of their steps, the first from step 1 on


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """A candidate made of others that was scored, and what its forecast is made of."""

    score: Score
    recipe: Recipe


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


def combined(recipe: Recipe, forecast_of: Callable[[Candidate], FloatArray]) -> FloatArray:
    """The forecast by this recipe, from those of its candidates, which are all of one shape."""
    pieces = []
    ends = [*(part.first_step - 1 for part in recipe[1:]), None]
    for part, end in zip(recipe, ends, strict=True):
        forecasts = [forecast_of(member.candidate)[part.first_step - 1 : end] for member in part.members]
        pieces.append(blended(forecasts, [member.weight for member in part.members]))
    return np.concatenate(pieces)


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
