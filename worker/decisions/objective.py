"""What a capacity costs over a window of demand: what lies idle, what is short, and the price of having changed it.

    J(c) = Σ_t h · E[(c_t − D_t)⁺]  +  κ · Σ_t h · E[(D_t − c_t)⁺]  +  p · changes        in units of the demand times hours

    h   hours of a step            E   mean over joint paths of the demand D, by their mass
    κ   how many idle GB·h hurt as one that is missing

A constant c that no change has to be paid for is best at the κ ⁄ (κ + 1) quantile of all values of the window pooled, whatever
their order in time: the newsvendor's solution (Arrow, Harris and Marschak, Optimal inventory policy, Econometrica 19, 1951),
since each step's expected cost is a pinball loss of c, and the sum of them is that of the pooled values (Koenker and Bassett,
Regression quantiles, Econometrica 46, 1978). Neither the highest of the hours' bounds nor the peak is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from worker.models.base import FloatArray

COSTLY = 15.0  # from this κ on extremes are learned from recent days rather than from how forecasts miss
RECENT_SHARE, COSTLY_SHARE = 1 / 3, 2 / 3  # of the mass, at least, below that κ and from it on
TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What may be wanted, step by step.

    paths: joint ways that it may go, shape (paths, steps), of both at least one. mass: of each path, shape (paths,), 1 in all.
    hours: of a step. counts: the steps that are decided on, shape (steps,).
    is_recent: which rows are recent days, others being what forecasts have missed by; shape (paths,). Those that were added as
        they were have no mass of their own: chances are not counted on them, and decisions give them theirs (`mass_for`).
    """

    paths: FloatArray
    mass: FloatArray
    hours: float
    counts: NDArray[np.bool_]
    is_recent: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        paths: FloatArray,
        *,
        hours: float = 1.0,
        mass: FloatArray | None = None,
        counts: NDArray[np.bool_] | None = None,
        is_recent: NDArray[np.bool_] | None = None,
        week: FloatArray | None = None,
    ) -> Self:
        """Of paths that are equally likely where no mass is given; all steps count where nothing else is said.

        Args:
            week: recent days as they were, shape (days, steps); then no path counts as recent. None = they are not known.
        """
        rows, steps = paths.shape
        own = cls(
            paths=paths,
            mass=np.full(rows, 1 / rows) if mass is None else mass / mass.sum(),
            hours=hours,
            counts=np.ones(steps, dtype=np.bool_) if counts is None else counts,
            is_recent=np.zeros(rows, dtype=np.bool_) if is_recent is None else is_recent,
        )
        return own if week is None or not len(week) else own.beside(week)

    def beside(self, week: FloatArray) -> Self:
        """With recent days as they were, shape (days, steps)."""
        days, rows = len(week), len(self.paths)
        return replace(
            self,
            paths=np.concatenate([self.paths, week]),
            mass=np.concatenate([self.mass, np.zeros(days)]),
            is_recent=np.concatenate([np.zeros(rows, dtype=np.bool_), np.ones(days, dtype=np.bool_)]),
        )

    def of_rows(self, kept: Sequence[bool]) -> Self:
        """With these rows alone; those that are left out have no mass."""
        places = np.array(kept, dtype=np.bool_)
        return replace(self, paths=self.paths[places], mass=self.mass[places], is_recent=self.is_recent[places])

    @property
    def values(self) -> FloatArray:
        """The steps that count, shape (paths, steps that count)."""
        return self.paths[:, self.counts]

    def mass_for(self, kappa: float) -> FloatArray:
        """What a decision counts with: recent days have a third of the mass at least, for a large κ two. Chances never do.

        With the third, costs on the tuning half of tests/bench/decisions were 0.927 and 0.779 of doing nothing (batch and VM
        pools, κ = 10) instead of 0.925 and 0.804, for two thirds of the changes and half of the wrong cuts.
        """
        least, known = COSTLY_SHARE if kappa >= COSTLY else RECENT_SHARE, int(self.is_recent.sum())
        own = float(self.mass[self.is_recent].sum())
        if known in {0, len(self.mass)} or own >= least:
            return self.mass
        of_recent = self.mass / own if own > TINY else np.full(len(self.mass), 1 / known)
        return np.where(self.is_recent, of_recent * least, self.mass * (1 - least) / (1 - own))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of a capacity over a window, expected, in units of the demand times hours."""

    slack: float
    shortfall: float

    def total(self, kappa: float) -> float:
        """J, without the price of a change."""
        return self.slack + kappa * self.shortfall


def cost_of(demand: Demand, capacity: float | FloatArray, mass: FloatArray | None = None) -> Cost:
    """What a capacity costs.

    Args:
        capacity: one for all steps that count, or one for each of them.
        mass: of each path, 1 in all; None = the demand's own.
    """
    weights = demand.mass if mass is None else mass
    beyond = demand.values - capacity
    short = float(weights @ np.maximum(beyond, 0.0).sum(axis=1)) * demand.hours
    idle = float(weights @ np.maximum(-beyond, 0.0).sum(axis=1)) * demand.hours
    return Cost(slack=idle, shortfall=short)


def level_of(kappa: float) -> float:
    """The share of the time in which a capacity should suffice: κ ⁄ (κ + 1)."""
    return kappa / (kappa + 1)


def pooled_quantile(demand: Demand, kappa: float) -> float:
    """The constant capacity of the least J where changes cost nothing; more κ never gives less.

    From `COSTLY` on it is never below what the usual mass gives there.
    """
    usual = quantile_of(demand.values, demand.mass_for(0.0), level_of(min(kappa, COSTLY)))
    if kappa < COSTLY:
        return usual
    return max(usual, quantile_of(demand.values, demand.mass_for(kappa), level_of(kappa)))


def quantile_of(values: FloatArray, mass: FloatArray, level: float) -> float:
    """The ⌈(n + 1) · level⌉-th of n values, beyond n the largest: the least that as much of the mass does not pass.

    The one value more allows for the highest that was not seen yet, as in conformal prediction (Lei et al., Distribution-free
    predictive inference for regression, J. Am. Stat. Assoc. 113, 2018).

    Args:
        values: shape (paths, steps). mass: of each path, shape (paths,), 1 in all; its steps share it alike.
    """
    steps, has_mass = values.shape[1], mass > 0
    flat = values[has_mass].ravel()
    order = np.argsort(flat)
    below = np.cumsum(np.repeat(mass[has_mass] / steps, steps)[order])
    wanted = level * (flat.size + 1) / flat.size
    place = int(np.searchsorted(below, wanted - TINY))
    return float(flat[order[min(place, flat.size - 1)]])
