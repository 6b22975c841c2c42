"""Rules that set a queue's capacity for the next day from its past alone: the one that is recommended, and those to compare with.

The vertical autoscaler's: 90 % quantile with a half-life of 24 hours and 15 % on top, the defaults of its recommender
(kubernetes/autoscaler, vertical-pod-autoscaler). In the manner of Autopilot's moving window: 98 % quantile with a half-life of
48 hours and 10 % on top (Rzadca et al., Autopilot: workload autoscaling at Google, EuroSys 2020).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from shared.domain.replays import DO_NOTHING, RECOMMENDED
from worker.decisions.decide import decide
from worker.decisions.objective import Demand, level_of, pooled_quantile, quantile_of
from worker.decisions.terms import NOTHING_ELSE, Facts, Terms
from worker.models.base import FloatArray

WEEK, MONTH = 7, 28  # days
HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that a rule may look at, at one cutoff.

    past: demand of each step before it, NaN = not known. steps_per_day: of these.
    present: the capacity that it has. demand: what may come; None = it could not be forecast. before: of the cutoff before.
    """

    past: FloatArray
    steps_per_day: int
    present: float
    demand: Demand | None = None
    before: Demand | None = None
    facts: Facts = NOTHING_ELSE

    def last(self, days: int) -> FloatArray:
        """What is known of so many days before the cutoff."""
        recent = self.past[-days * self.steps_per_day :]
        return recent[np.isfinite(recent)]


class Rule(Protocol):
    """Something that sets capacities."""

    @property
    def name(self) -> str:
        """As tables have it."""

    def capacity(self, seen: Seen) -> float:
        """From the cutoff on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Leave it as it is."""

    name: str = DO_NOTHING

    def capacity(self, seen: Seen) -> float:
        """What it has."""
        return seen.present


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommended:
    """What recommend.py says, without the words."""

    terms: Terms = field(default_factory=Terms)
    name: str = RECOMMENDED

    def capacity(self, seen: Seen) -> float:
        """What it has, where nothing could be forecast."""
        if seen.demand is None:
            return seen.present
        facts = replace(
            seen.facts,
            history_days=len(seen.past) / seen.steps_per_day,
            weekday_peak=_weekday_peak(seen, seen.demand.paths.shape[1]),
            agreed=None if seen.before is None else pooled_quantile(seen.before, self.terms.kappa),
        )
        return decide(seen.demand, seen.present, self.terms, facts).value


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailing:
    """The quantile of a week that suffices for so much of the time."""

    level: float
    days: int = WEEK
    name: str = "trailing 7-day quantile"

    def capacity(self, seen: Seen) -> float:
        """Of the last days."""
        return _quantile(seen, seen.last(self.days), self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakAndMore:
    """The highest demand of the last days, and more."""

    days: int
    name: str
    more: float = 0.2

    def capacity(self, seen: Seen) -> float:
        """Of the last days."""
        known = seen.last(self.days)
        return float(known.max()) * (1 + self.more) if known.size else seen.present


@dataclass(frozen=True, slots=True, kw_only=True)
class Fading:
    """A quantile of all that was, where what is older counts less, and more on top."""

    level: float
    half_life_hours: float
    more: float
    name: str

    def capacity(self, seen: Seen) -> float:
        """Each half-life counts half as much as the one after it."""
        age_hours = np.arange(len(seen.past), 0, -1) * HOURS_PER_DAY / seen.steps_per_day
        is_known = np.isfinite(seen.past)
        mass = 0.5 ** (age_hours[is_known] / self.half_life_hours)
        return _quantile(seen, seen.past[is_known], self.level, mass, self.more)


def baselines(kappa: float) -> tuple[Rule, ...]:
    """What a recommendation is compared with; doing nothing comes first."""
    return (
        Nothing(),
        Trailing(level=level_of(kappa)),
        PeakAndMore(days=WEEK, name="last week's peak + 20 %"),
        PeakAndMore(days=1, name="yesterday's peak + 20 %"),
        Fading(level=0.9, half_life_hours=24, more=0.15, name="vertical autoscaler's defaults"),
        Fading(level=0.98, half_life_hours=48, more=0.1, name="Autopilot-like"),
    )


def _quantile(seen: Seen, values: FloatArray, level: float, mass: FloatArray | None = None, more: float = 0.0) -> float:
    if not values.size:
        return seen.present
    weights = np.ones(values.size) if mass is None else mass
    return quantile_of(values[:, np.newaxis], weights / weights.sum(), level) * (1 + more)


def _weekday_peak(seen: Seen, steps: int) -> float | None:
    """The highest demand of the same steps, whole weeks before, in 28 days."""
    week, length = WEEK * seen.steps_per_day, len(seen.past)
    starts = [length - back for back in range(week, MONTH * seen.steps_per_day + 1, week) if length >= back]
    windows = [seen.past[start : min(length, start + steps)] for start in starts]
    peaks = [float(np.nanmax(window)) for window in windows if np.isfinite(window).any()]
    return max(peaks, default=None)
