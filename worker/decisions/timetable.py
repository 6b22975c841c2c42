"""Capacities by the time of day: the segments of a day that cost least together, each with a quantile of its own.

    f(j) = min over i ≤ j − 3 h of  f(i) + J(i, j) + p        J(i, j): the least cost of one capacity from hour i to hour j

A dynamic programme over the hours of a day, O(T²): optimal segmentation (Bellman, On the approximation of curves by line segments
using dynamic programming, Comm. ACM 4, 1961). A day of k segments is switched k times, as the next one begins like it. Capacities
are looked for among quantiles of all values; those of the segments that are found are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from shared.domain.timetables import Segment, TimetableVerdict, why_constant
from shared.domain.wording import counted
from worker.decisions.guards import upwards
from worker.decisions.objective import Demand, cost_of, pooled_quantile
from worker.decisions.replay import Past, replay
from worker.decisions.rules import Recommended, Seen
from worker.decisions.terms import Terms
from worker.models.base import FloatArray

SHORTEST_HOURS = 3
SWITCH_HOURS = 2.0  # of the capacity, that a switch costs
CANDIDATES = 256
HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """Segments of a day, one = a constant. cost: expected of a day, price: of its switches, in units of demand times hours."""

    segments: tuple[Segment, ...]
    cost: float
    price: float

    @property
    def switches(self) -> int:
        """A day."""
        return len(self.segments) if len(self.segments) > 1 else 0

    def capacities(self, steps: int) -> FloatArray:
        """Of so many steps, day after day."""
        day = np.concatenate([np.full(each.end - each.first, each.capacity) for each in self.segments])
        return np.resize(day, steps)


def timetable(demand: Demand, present: float, terms: Terms, steps_per_day: int) -> Timetable:
    """The day that costs least, switches paid; of demand over whole days.

    Args:
        present: capacity that the price of a switch is a part of.
    """
    day, hour = _one_day(demand, steps_per_day), max(1, steps_per_day // HOURS_PER_DAY)
    price = SWITCH_HOURS * present
    cuts = _cuts(_costs(day, terms.kappa, hour), price, max(1, round(SHORTEST_HOURS / (day.hours * hour))))
    segments = tuple(_merged(_segment(day, terms, first * hour, end * hour) for first, end in pairwise(cuts)))
    found = Timetable(segments=segments, cost=0.0, price=price * len(segments) if len(segments) > 1 else 0.0)
    cost = cost_of(day, found.capacities(steps_per_day), day.mass_for(terms.kappa)).total(terms.kappa)
    return replace(found, cost=cost)


def judged(past: Past, terms: Terms) -> TimetableVerdict | None:
    """Whether a timetable is offered for a queue; None where a window is no whole number of days, or the last has no forecast."""
    last = past.cutoffs[-1].demand
    if past.window_steps % past.steps_per_day or last is None:
        return None
    start = past.start(terms.kappa)
    constant = replay(past, Recommended(terms=terms), start, terms.price_hours)
    planned = _Planned(terms=terms)
    replay(past, planned, start)
    cost = price = 0.0
    for cutoff, found in zip(past.cutoffs, planned.found, strict=True):
        window = past.window(cutoff)
        is_known = np.isfinite(window)
        if is_known.any():
            real = Demand.of(window[np.newaxis, is_known], hours=past.hours)
            cost += cost_of(real, found.capacities(past.window_steps)[: len(window)][is_known]).total(terms.kappa)
        price += found.price * (past.window_steps / past.steps_per_day if found.switches else 1.0)
    days = round(len(past.cutoffs) * past.window_steps / past.steps_per_day)
    of_constant = constant.total(terms.kappa) + constant.price
    return _verdict(days, (cost + price) / of_constant if of_constant > 0 else None, planned.found)


def _verdict(days: int, ratio: float | None, found: list[Timetable]) -> TimetableVerdict:
    segments = found[-1].segments
    reason = why_constant(days, ratio, segments)
    gain = f"A timetable would have cost {100 * (ratio or 0.0):.1f} % of one constant a day on {counted(days, 'day')} of its past"
    return TimetableVerdict(
        days=days,
        ratio=ratio,
        switches_a_day=sum(each.switches for each in found) / len(found),
        is_offered=not reason,
        sentence=f"No timetable: {reason}." if reason else f"{gain}, changes paid.",
        segments=segments,
    )


class _Planned:
    """A rule that keeps the timetables that it would have made, and the constant as the capacity of now."""

    name = "timetable"

    def __init__(self, *, terms: Terms) -> None:
        self.found: list[Timetable] = []
        self._constant = Recommended(terms=terms)

    def capacity(self, seen: Seen) -> float:
        """Of the constant beside it."""
        present, terms = self._constant.capacity(seen), self._constant.terms
        made = None if seen.demand is None else timetable(seen.demand, present, terms, seen.steps_per_day)
        if made is None and self.found:
            made = self.found[-1]
        if made is None or not made.switches:  # then the constant is left as it is where changing it is not worth its price
            day = Segment(first=0, end=seen.steps_per_day, capacity=present)
            made = Timetable(segments=(day,), cost=0.0, price=terms.price(seen.present) if present != seen.present else 0.0)
        self.found.append(made)
        return present


def _one_day(demand: Demand, steps_per_day: int) -> Demand:
    """All days of the demand as ways that one day may go."""
    days = demand.paths.shape[1] // steps_per_day
    rows = demand.paths[:, : days * steps_per_day].reshape(-1, steps_per_day)
    mass, is_recent = np.repeat(demand.mass / days, days), np.repeat(demand.is_recent, days)
    return replace(demand, paths=rows, mass=mass, is_recent=is_recent, counts=np.ones(steps_per_day, dtype=np.bool_))


def _costs(day: Demand, kappa: float, hour: int) -> FloatArray:
    """Of each hour, with each of the capacities that are looked at; shape (hours, capacities)."""
    mass, distinct = day.mass_for(kappa), np.unique(day.paths)
    capacities = distinct if len(distinct) <= CANDIDATES else np.quantile(day.paths, np.linspace(0, 1, CANDIDATES))
    of_steps = [_costs_of_step(values, mass, capacities, kappa) for values in day.paths.T]
    costs: FloatArray = np.array(of_steps).reshape(-1, hour, len(capacities)).sum(axis=1) * day.hours
    return costs


def _costs_of_step(values: FloatArray, mass: FloatArray, capacities: FloatArray, kappa: float) -> FloatArray:
    """By what lies below each capacity and what above it, from sums over the values in their order."""
    order = np.argsort(values)
    share = np.concatenate([[0.0], np.cumsum(mass[order])])
    amount = np.concatenate([[0.0], np.cumsum((mass * values)[order])])
    below = np.searchsorted(values[order], capacities)
    slack = capacities * share[below] - amount[below]
    shortfall = (amount[-1] - amount[below]) - capacities * (share[-1] - share[below])
    costs: FloatArray = slack + kappa * shortfall
    return costs


def _cuts(costs: FloatArray, price: float, shortest: int) -> list[int]:
    """The hours where segments begin, and the end of the day; a constant costs no switch."""
    hours = len(costs)
    total = np.vstack([np.zeros(costs.shape[1]), np.cumsum(costs, axis=0)])
    best, before = np.full(hours + 1, np.inf), [0] * (hours + 1)
    best[0] = 0.0
    for end in range(shortest, hours + 1):
        firsts = range(end - shortest + 1)
        each = [best[first] + (total[end] - total[first]).min() + price for first in firsts]
        before[end] = int(np.argmin(each))
        best[end] = each[before[end]]
    if best[hours] >= total[hours].min():
        return [0, hours]
    cuts = [hours]
    while cuts[-1]:
        cuts.append(before[cuts[-1]])
    return cuts[::-1]


def _segment(day: Demand, terms: Terms, first: int, end: int) -> Segment:
    """With the quantile of its own steps, inside what the policy allows."""
    steps = np.zeros(day.paths.shape[1], dtype=np.bool_)
    steps[first:end] = True
    value = max(terms.floor, pooled_quantile(replace(day, counts=steps), terms.kappa))
    return Segment(first=first, end=end, capacity=min(terms.ceiling, upwards(value, terms.grain)))


def _merged(segments: Iterator[Segment]) -> Iterator[Segment]:
    """Neighbours of one capacity as one."""
    last: Segment | None = None
    for each in segments:
        if last is not None and each.capacity == last.capacity:
            last = replace(last, end=each.end)
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last
