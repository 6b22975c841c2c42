"""What joint plans would have cost: pools that share a parent, whose capacities add up to what it has from day to day.

Pools of one kind with the same days are taken as siblings, six at a time, in the order of their names, each in parts of its own
mean demand, so that none is larger by its unit. The parent has what they have at first. Each day one plan is made as the product
makes it, by the same demand, price, budget, step and number of changes as a policy has that says nothing; single queues are
lowered by a quarter at most. What is idle of the whole is the same whatever the plan is, but for what is missing; so beside J of
all of them what they lack is told, and the hours above what they have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from shared.domain.policies import Policy
from shared.domain.recommendations import Resource
from shared.domain.wording import counted
from tests.bench.spread import geometric_mean
from worker.decisions.family import pooled
from worker.decisions.guards import withheld
from worker.decisions.problem import FULL, Child, Room
from worker.decisions.recent import last_week
from worker.decisions.replay import Cutoff, Past, Replayed, scored
from worker.decisions.siblings import allocated
from worker.decisions.terms import Terms
from worker.decisions.wanted import Shares

SIBLINGS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """One family: ratios are of the plans ÷ leaving all as it is."""

    ratio: float
    shortfall: float
    breach_hours: float
    changes_a_day: float


def families(pasts: Sequence[Past]) -> Iterator[tuple[Past, ...]]:
    """Pools whose days are as many, each in parts of its mean; a last one that is too small is left out."""
    by_days: dict[int, list[Past]] = {}
    for past in pasts:
        by_days.setdefault(len(past.cutoffs), []).append(_in_parts(past))
    for alike in by_days.values():
        yield from (
            family for first in range(0, len(alike), SIBLINGS) if len(family := tuple(alike[first : first + SIBLINGS])) > 1
        )


def replayed(family: Sequence[Past], terms: Terms) -> Joint:
    """A plan each day."""
    start = [past.start(terms.kappa) for past in family]
    rows, present = [], start
    for cutoffs in zip(*(past.cutoffs for past in family), strict=True):
        pairs = list(zip(family, cutoffs, present, strict=True))
        present = list(allocated([_child(*pair, terms) for pair in pairs], _room(family, sum(start), terms)).capacities)
        rows.append(present)
    planned = [scored(past, column, first) for past, column, first in zip(family, zip(*rows, strict=True), start, strict=True)]
    left = [scored(past, [first] * len(rows), first) for past, first in zip(family, start, strict=True)]
    changes = sum(each.changes for each in planned)
    return Joint(
        ratio=_in_all(planned, terms.kappa) / _in_all(left, terms.kappa),
        shortfall=_ratio(sum(each.shortfall for each in planned), sum(each.shortfall for each in left)),
        breach_hours=_ratio(sum(each.breach_hours for each in planned), sum(each.breach_hours for each in left)),
        changes_a_day=changes / len(rows) / len(family),
    )


def told(pasts: Sequence[Past], kappa: float) -> str:
    """One line of all families."""
    found = [replayed(family, Terms(kappa=kappa)) for family in families(pasts)]
    if not found:
        return "joint plans: no two series have the same days"
    means = [geometric_mean([getattr(each, name) for each in found]) or 0.0 for name in ("ratio", "shortfall", "breach_hours")]
    worst, changes = max(each.ratio for each in found), sum(each.changes_a_day for each in found) / len(found)
    what = f"J {means[0]:.3f} (worst {worst:.3f}), missing {means[1]:.3f}, hours above {means[2]:.3f} of leaving all as it is"
    return f"joint plans of {counted(len(found), 'family')}: {what}; {changes:.2f} changes a queue and day"


def _in_parts(past: Past) -> Past:
    mean = float(np.nanmean(past.values[: past.cutoffs[0].at])) or 1.0
    cutoffs = tuple(
        cutoff if cutoff.demand is None else replace(cutoff, demand=replace(cutoff.demand, paths=cutoff.demand.paths / mean))
        for cutoff in past.cutoffs
    )
    return replace(past, values=past.values / mean, cutoffs=cutoffs)


def _child(past: Past, cutoff: Cutoff, present: float, terms: Terms) -> Child:
    if cutoff.demand is None:
        return Child(name=past.queue, present=present)
    week = last_week(past.values[: cutoff.at], past.window_steps, past.steps_per_day)
    demand = cutoff.demand.beside(week) if len(week) else cutoff.demand
    may_fall, may_rise = not withheld(0.0, 1.0, cutoff.facts), not withheld(1.0, 0.0, cutoff.facts)
    return Child(
        name=past.queue,
        present=present,
        demand=pooled(Shares.of(demand, terms.kappa, Resource.MEMORY, (), is_part=False), FULL),
        floor=present * (1 - terms.max_cut) if may_fall else present,
        ceiling=np.inf if may_rise else present,
        kappa=terms.kappa,
    )


def _room(family: Sequence[Past], total: float, terms: Terms) -> Room:
    policy = Policy(cluster="bench", parent="root")
    return Room(
        total=total,
        budget=policy.budget_percent / FULL * total,
        step=policy.min_step(len(family)) / FULL * total,
        most_changes=policy.max_changes,
        hours=family[0].hours * family[0].window_steps,
        price_hours=terms.price_hours,
        slack=1.0,
    )


def _in_all(each: Sequence[Replayed], kappa: float) -> float:
    return sum(one.total(kappa) for one in each)


def _ratio(value: float, other: float) -> float:
    return value / other if other else 1.0
