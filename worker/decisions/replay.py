"""What a rule would have done on a queue's past: at each daily cutoff a capacity from what was known there, then the real day.

values   ▂▃▅▃▂▁▂▃▅▇▅▃│▂▁▂▃▅▃│▂▁▂▃▅▃│     all cutoffs of one queue; a rule sees what is left of one, and the paths
              cutoff ┘      ┘              that were made there
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from worker.decisions.objective import Demand, cost_of, level_of, quantile_of
from worker.decisions.recent import last_week
from worker.decisions.rules import WEEK, Rule, Seen
from worker.decisions.terms import NOTHING_ELSE, Facts
from worker.models.base import FloatArray

HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """Where the known past ends: so many values are before it. demand: what was forecast there; None = that failed."""

    at: int
    demand: Demand | None = None
    facts: Facts = NOTHING_ELSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The demand of one queue, NaN = not known, and the cutoffs of it, oldest first, a day or more apart.

    hours: of a step. window_steps: that follow a cutoff and are decided on.
    has_week: whether decisions count with the last week as it was at each of them.
    present: what it has at the first cutoff; None = as one who looks at the first week and sets it once.
    """

    queue: str
    values: FloatArray
    cutoffs: tuple[Cutoff, ...]
    hours: float = 1.0
    window_steps: int = HOURS_PER_DAY
    present: float | None = None
    has_week: bool = True

    @property
    def steps_per_day(self) -> int:
        """At least one."""
        return max(1, round(HOURS_PER_DAY / self.hours))

    def window(self, cutoff: Cutoff) -> FloatArray:
        """What came."""
        return self.values[cutoff.at : cutoff.at + self.window_steps]

    def start(self, kappa: float) -> float:
        """What it has at the first cutoff."""
        if self.present is not None:
            return self.present
        before = self.values[: self.cutoffs[0].at][: WEEK * self.steps_per_day]
        known = before[np.isfinite(before)]
        return quantile_of(known[:, np.newaxis], np.full(known.size, 1 / known.size), level_of(kappa)) if known.size else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Capacities of each window, what it had before the first one, and what they came to over all windows."""

    capacities: tuple[float, ...]
    before: float
    slack: float
    shortfall: float
    breach_hours: float
    wrong_cuts: int
    price: float

    @property
    def changes(self) -> int:
        """Windows that began with another capacity."""
        return sum(old != new for old, new in pairwise((self.before, *self.capacities)))

    def total(self, kappa: float) -> float:
        """J without the price of changes."""
        return self.slack + kappa * self.shortfall


def replay(past: Past, rule: Rule, start: float, price_hours: float = 0.0) -> Replayed:
    """What the rule would have set. It sees nothing at or after a cutoff.

    Args:
        start: what the queue has at the first cutoff. price_hours: of a change, in hours of the capacity before it.
    """
    capacities, present, before = [], start, None
    for cutoff in past.cutoffs:
        known, steps = past.values[: cutoff.at].copy(), past.window_steps
        week = last_week(known if past.has_week else known[:0], steps, past.steps_per_day)
        demand = cutoff.demand.beside(week) if cutoff.demand is not None and len(week) else cutoff.demand
        seen = Seen(
            past=known,
            steps_per_day=past.steps_per_day,
            present=present,
            demand=demand,
            before=before,
            facts=cutoff.facts,
        )
        present, before = rule.capacity(seen), demand
        capacities.append(present)
    return scored(past, capacities, start, price_hours)


def scored(past: Past, capacities: Sequence[float], start: float, price_hours: float = 0.0) -> Replayed:
    """What capacities came to on the real days; steps of which nothing is known count for nothing."""
    slack = shortfall = hours = price = 0.0
    wrong, old = 0, start
    for cutoff, capacity in zip(past.cutoffs, capacities, strict=True):
        window = past.window(cutoff)
        known = window[np.isfinite(window)]
        if known.size:
            cost = cost_of(Demand.of(known[np.newaxis, :], hours=past.hours), capacity)
            slack, shortfall = slack + cost.slack, shortfall + cost.shortfall
            hours += past.hours * int((known > capacity).sum())
            wrong += bool(capacity < known.max() <= old)
        price += price_hours * old if capacity != old else 0.0
        old = capacity
    return Replayed(
        capacities=tuple(capacities),
        before=start,
        slack=slack,
        shortfall=shortfall,
        breach_hours=hours,
        wrong_cuts=wrong,
        price=price,
    )


def oracle(past: Past, kappa: float, start: float) -> Replayed:
    """The constant of each day that would have cost least: no rule can know it."""
    capacities, present = [], start
    for cutoff in past.cutoffs:
        window = past.window(cutoff)
        known = window[np.isfinite(window)]
        if known.size:
            exact = level_of(kappa) * known.size / (known.size + 1)
            present = quantile_of(known[np.newaxis, :], np.ones(1), exact)
        capacities.append(present)
    return scored(past, capacities, start)
