"""What came of a proposal that was put into force: what its queues have really cost, and would have with what they had before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from shared.domain.proposals import Effect, Proposal, ProposedChange
from shared.domain.units import work_of
from worker.decisions.objective import Cost, Demand, cost_of

AFTER_DAYS = (1, 3, 7)
KNOWN = 0.8  # of the steps, without which nothing is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What one queue wanted since, step by step. hours: of a step. steps: that there were, of which some may not be known."""

    values: Sequence[float]
    hours: float
    steps: int


def effect_of(proposal: Proposal, days: int, happened: Mapping[str, Happened], now: datetime) -> Effect | None:
    """Over so many days from the moment at which the cluster showed it; None = too little is known of what came."""
    told = [(change, happened[change.queue]) for change in proposal.changes if change.queue in happened]
    if not told or len(told) < len(proposal.changes) or any(len(each.values) < KNOWN * each.steps for _, each in told):
        return None
    real, without = ([_cost(change, each, new) for change, each in told] for new in (True, False))
    above, above_without = ([_hours(change, each, new) for change, each in told] for new in (True, False))
    return Effect(
        days=days,
        made_at=now,
        expected=sum(_expected(change, days) for change in proposal.changes),
        real=sum(real),
        without=sum(without),
        wrong_cuts=tuple(change.queue for change, each in told if _is_wrong(change, each)),
        hours_above=sum(above),
        hours_above_without=sum(above_without),
    )


def _capacity(change: ProposedChange, is_new: bool) -> float:
    found = change.memory
    return found.after.capacity if is_new else found.before.capacity


def _cost(change: ProposedChange, happened: Happened, is_new: bool) -> float:
    demand = Demand.of(np.array([happened.values]), hours=happened.hours)
    cost: Cost = cost_of(demand, _capacity(change, is_new))
    return cost.total(change.memory.kappa) * work_of(change.memory.unit)[0]


def _hours(change: ProposedChange, happened: Happened, is_new: bool) -> float:
    return happened.hours * sum(value > _capacity(change, is_new) for value in happened.values)


def _expected(change: ProposedChange, days: int) -> float:
    """As it was forecast for the window, for as long as this."""
    found = change.memory
    return found.after.cost * (timedelta(days=days) / (found.end_at - found.start_at))


def _is_wrong(change: ProposedChange, happened: Happened) -> bool:
    most = max(happened.values)
    return _capacity(change, is_new=True) < most <= _capacity(change, is_new=False)
