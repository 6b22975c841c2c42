"""A queue that is too new to be forecast: its parent's forecast, times its share of what the parent has.

    root.a      ▂▅▇▅▂ │ ▂▅▇▅▂      the share is the median of the queue's values ÷ its parent's in the steps that both have;
    root.a.new      ▁ │ ▁▂▃▂▁      where the queue has none, that of its guarantee

How far the share itself is off nobody can know from two steps: the interval allows for a factor of `OFF` either way in 19 of 20
cases, beside all that the parent's own says. It is what two steps of real pools needed, those of the half `tune` alone
(`python -m tests.bench.cold_start`); of pools with days unlike their parent's more, of others far less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf
from statistics import NormalDist, median

from shared.domain.components import Components
from shared.domain.distribution import Quantiles, bounds_of
from shared.domain.forecasts import FROM_PARENT, Candidate, Forecast
from shared.domain.moving import Limits

OFF = 10.0
USUAL_INTERVAL = 0.9  # of forecasts that do not say theirs
_USUAL = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What part of its parent a queue is, and by how many steps that is known; 0 = by what both are guaranteed."""

    value: float
    steps: int

    @property
    def words(self) -> str:
        """For people."""
        known = "what it is guaranteed" if not self.steps else f"the {self.steps} steps that both have"
        return f"{100 * self.value:.3g} % of that, by {known}"


def share_of(values: Mapping[datetime, float], of_parent: Mapping[datetime, float], guaranteed: float | None) -> Share | None:
    """The queue's share of its parent; None = nothing tells it.

    Args:
        values, of_parent: what each has had, by step. guaranteed: the queue's guarantee ÷ its parent's; None = not known.
    """
    both = [max(0.0, value) / of_parent[at] for at, value in values.items() if of_parent.get(at, 0.0) > 0]
    if both:
        return Share(value=median(both), steps=len(both))
    return None if guaranteed is None or values else Share(value=guaranteed, steps=0)


def reach_of(level: float) -> float:
    """By which factor the share is off at this level, 0–1; 1 in the middle."""
    return float(OFF ** (NormalDist().inv_cdf(level) / _USUAL))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What a part of the parent's values may be, by level; never more than `most`, nor than the whole where it is of amounts."""

    share: float
    most: float
    is_of_whole: bool

    def at(self, level: float, values: Sequence[float]) -> tuple[float, ...]:
        factor = self.share * reach_of(level)
        return tuple(min(value * (min(1.0, factor) if self.is_of_whole else factor), self.most) for value in values)

    def quantiles(self, of_parent: Quantiles) -> Quantiles:
        pairs = zip(of_parent.levels, of_parent.values, strict=True)
        return replace(of_parent, values=tuple(self.at(level, values) for level, values in pairs))


def from_parent(parent: Forecast, share: Share, *, queue: str, job_id: str, created_at: datetime, limits: Limits) -> Forecast:
    """The forecast of a queue, derived from that of its parent: flagged by its model, and without paths, scores and claims.

    Args:
        limits: what the queue has and can get.
    """
    is_of_whole = parent.unit is None or parent.unit.full is None  # of percentages a queue may have more than its parent
    most = inf if limits.maximum is None else limits.maximum
    part = _Part(share=min(1.0, share.value) if is_of_whole else share.value, most=most, is_of_whole=is_of_whole)
    low, high = bounds_of(parent.interval or USUAL_INTERVAL)
    unknown = replace(parent, mape=None, wape=None, skill=None, seconds=0.0, paths=None, claims=(), components=Components())
    return replace(
        unknown,
        queue=queue,
        job_id=job_id,
        created_at=created_at,
        searched_at=None,
        model=FROM_PARENT,
        hyperparameters=candidate_of(parent, share).hyperparameters,
        prediction=part.at(0.5, parent.prediction),
        lower_bound=part.at(low, parent.lower_bound),
        upper_bound=part.at(high, parent.upper_bound),
        quantiles=part.quantiles(parent.quantiles),
        peaks=part.quantiles(parent.peaks),
        guaranteed=limits.guaranteed,
        maximum=limits.maximum,
    )


def candidate_of(parent: Forecast, share: Share) -> Candidate:
    """What stands for a winner."""
    return Candidate(model=FROM_PARENT, hyperparameters={"parent": parent.queue, "share": round(share.value, 6)})
