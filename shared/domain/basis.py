"""What a forecast was learned from: how high its values stand above means, and how often they say "at least"."""

from __future__ import annotations

from dataclasses import dataclass

MAX_AT_LEAST = 0.2  # of the steps; beyond, a forecast learned from them says "at least", and nothing is lowered on its word


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Of the history of one queue; None = not known.

    p95_to_mean: of recent steps in the middle, how many times the mean of a step's samples their 95 % quantile is.
    saturated: share of the steps, 0 to 1, in which the queue was held back for half of the time or more.
    at_least: share of the steps in which it was, and nobody knows how much more it wanted.
    """

    p95_to_mean: float | None = None
    saturated: float | None = None
    at_least: float | None = None

    @property
    def is_at_least(self) -> bool:
        """Whether what was learned from is too often a lower bound to say more than that."""
        return self.at_least is not None and self.at_least > MAX_AT_LEAST
