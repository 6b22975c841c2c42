"""What a joint plan decides on: the children of one parent, the room they share, and what each amount of capacity costs them.

    cost(c) = hours · (κ w E[(D − c)+] + slack E[(c − D)+])  +  price · |c − present|        of one child, in unit·hours

    hours · κ w P(D > c) ─┐                    the line of a child: each piece of capacity costs less than the one before
                          └──┐                 saves, so the cheapest pieces of all children together are the best plan
                             └───┐
    ─────────────────────────────┴──── c       60 quantiles of the demand are the ends of the pieces

Pure numbers: shares of the parent where children have percentages or weights, else MB or vcores.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from math import inf

import numpy as np

from shared.domain.identifiers import first_of, shown
from worker.models.base import FloatArray

QUANTILES = 60  # stand for all that a child may demand
HOURS = 24.0
PRICE_HOURS = 1.2  # a unit that is moved costs as much as one that lies idle for so long
ROUNDING = 1e-9  # relative to the parent
FULL = 100.0
Values = Sequence[float] | FloatArray


@dataclass(frozen=True, kw_only=True)  # without slots: what is looked up often is kept beside the fields
class Pooled:
    """What a child may demand in any step, all of them pooled: values, which rise, and how likely each is, 1 in all."""

    values: tuple[float, ...]
    masses: tuple[float, ...]

    @classmethod
    def of(cls, values: Values, masses: Values | None = None, most: int = QUANTILES) -> Pooled:
        """Of at least one value; of more than `most` as many means of equally likely parts, so that the mean stays.

        Args:
            masses: of the values, in any unit; None = all are equally likely.
        """
        flat = np.asarray(values, dtype=float)
        weights = np.full(flat.size, 1.0) if masses is None else np.asarray(masses, dtype=float)
        distinct, places = np.unique(flat, return_inverse=True)
        mass = np.bincount(places, weights=weights) / weights.sum()
        if distinct.size > most:
            reached = np.concatenate([[0.0], np.cumsum(mass)])
            worth = np.concatenate([[0.0], np.cumsum(mass * distinct)])
            distinct = np.diff(np.interp(np.arange(most + 1) / most * reached[-1], reached, worth)) * most / reached[-1]
            mass = np.full(most, 1.0 / most)
        return cls(values=tuple(np.maximum.accumulate(distinct).tolist()), masses=tuple(mass.tolist()))

    def or_more(self, other: Pooled, level: float) -> Pooled:
        """Of each quantile the higher one of both, of the other up to this level: beyond it that is no higher than there."""
        ends = np.unique([*np.cumsum(self.masses), *np.cumsum(other.masses), level])
        middles = (ends + np.concatenate([[0.0], ends[:-1]])) / 2
        return Pooled.of(np.maximum(self._at(middles), other._at(np.minimum(middles, level))), np.diff(ends, prepend=0.0))

    def _at(self, levels: FloatArray) -> FloatArray:
        """The values at these levels."""
        places = np.searchsorted(np.cumsum(self.masses), levels - ROUNDING)
        found: FloatArray = np.array(self.values)[np.minimum(places, len(self.values) - 1)]
        return found

    @cached_property
    def _from(self) -> tuple[float, ...]:
        """How likely each value or a higher one is, and then 0."""
        return (*[*accumulate(reversed(self.masses))][::-1], 0.0)

    def risk(self, capacity: float) -> float:
        """P(D > c), 0 to 1."""
        return self._from[bisect_right(self.values, capacity)]

    def shortfall(self, capacity: float) -> float:
        """E[(D − c)+]."""
        return sum(mass * max(0.0, value - capacity) for value, mass in zip(self.values, self.masses, strict=True))

    def slack(self, capacity: float) -> float:
        """E[(c − D)+]."""
        return sum(mass * max(0.0, capacity - value) for value, mass in zip(self.values, self.masses, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One of the siblings, in the unit of the room.

    Args:
        present: what it is guaranteed. demand: None = nothing is known of it, and it keeps what it has.
        floor, ceiling: what it gets at least, and at most. maximum: what YARN lets it reach, never less than its guarantee.
        kappa: how many idle units a missing one is worth.
        weight: of a missing unit: 1 where what is lent comes back only when containers end, 0.5 where it is taken back.
        is_protected: it is never changed. is_counted: whether it is one more, if it is changed; else it is changed anyway.
    """

    name: str
    present: float
    demand: Pooled | None = None
    floor: float = 0.0
    ceiling: float = inf
    maximum: float = inf
    kappa: float = 10.0
    weight: float = 1.0
    is_protected: bool = False
    is_counted: bool = True

    @property
    def is_fixed(self) -> bool:
        """Whether it keeps what it has."""
        return self.is_protected or self.demand is None

    @property
    def lowest(self) -> float:
        """What it gets at least."""
        return self.present if self.is_fixed else self.floor

    @property
    def highest(self) -> float:
        """What it gets at most."""
        return self.present if self.is_fixed else min(self.ceiling, self.maximum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the siblings share, and how much of it may be moved.

    Args:
        total: what all of them have together. is_exact: nothing of it is left over, else it is a limit.
        budget: of all raises together. step: the least change of one. most_changes: of siblings; None = of all.
        hours: for which the demand is told. price_hours: a changed unit costs as much as one that lies idle for so long.
        slack: what an idle unit costs. Where nothing is left over, all that is missing counts as much more.
    """

    total: float
    is_exact: bool = True
    budget: float = inf
    step: float = 0.0
    most_changes: int | None = None
    hours: float = HOURS
    price_hours: float = PRICE_HOURS
    slack: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Pieces of capacity and what a unit of each costs, which rises; what a child gets of it before any piece is `start`."""

    start: float
    lengths: tuple[float, ...] = ()
    slopes: tuple[float, ...] = ()


def cost(child: Child, room: Room, capacity: float) -> float:
    """What a capacity costs without the change, in unit·hours; nothing, where nothing is known of the demand."""
    if child.demand is None:
        return 0.0
    short = child.kappa * child.weight * child.demand.shortfall(capacity)
    return room.hours * (short + (room.slack * child.demand.slack(capacity) if room.slack else 0.0))


def raising(child: Child, room: Room) -> Line:
    """What a child may get beyond what it has; `start` is what its floor forces."""
    start = max(child.present, child.lowest)
    ends = _ends(child, start, max(start, min(child.highest, room.total)))
    return _line(start - child.present, ends, [slope(child, room, low) + room.price_hours for low in ends[:-1]])


def lowering(child: Child, room: Room) -> Line:
    """What may be taken of a child; `start` is what its ceiling forces."""
    start = min(child.present, child.highest)
    ends = _ends(child, min(start, child.lowest), start)[::-1]
    return _line(child.present - start, ends, [room.price_hours - slope(child, room, low) for low in ends[1:]])


def slope(child: Child, room: Room, capacity: float) -> float:
    """What the next unit beyond a capacity costs, without the change."""
    if child.demand is None:
        return 0.0
    risk = child.demand.risk(capacity)
    return room.hours * (room.slack * (1.0 - risk) - child.kappa * child.weight * risk)


def why_infeasible(children: Sequence[Child], room: Room) -> str | None:
    """What in the bounds of the children cannot be kept, in words; None = all of them can."""
    for child in children:
        if child.lowest > child.highest + ROUNDING * room.total:
            wanted, most = _percent(child.lowest, room), _percent(child.highest, room)
            return f"the floor of {shown(child.name)}, {wanted}, is above what it may have, {most}"
    if (lowest := sum(child.lowest for child in children)) > room.total * (1 + ROUNDING):
        return f"{_of('floors', children, fixed=True)} add up to {_percent(lowest, room)}"
    if room.is_exact and (highest := sum(child.highest for child in children)) < room.total * (1 - ROUNDING):
        return f"{_of('ceilings', children, fixed=False)} add up to {_percent(highest, room)}, and all of it is to be shared out"
    return None


def _of(what: str, children: Sequence[Child], *, fixed: bool) -> str:
    """`floors of etl and bi, and what adhoc keeps,`."""
    bounded = [child.name for child in children if not child.is_fixed and (child.floor > 0 or not fixed)]
    kept = [child.name for child in children if child.is_fixed and child.present > 0]
    said = [f"{what} of {_and(bounded)}"] if bounded else []
    return " with ".join([*said, *([f"what {_and(kept)} keep{'s' if len(kept) == 1 else ''}"] if kept else [])])


def _and(names: Sequence[str]) -> str:
    if 1 < len(names) <= 5:
        return f"{', '.join(map(shown, names[:-1]))} and {shown(names[-1])}"
    return first_of(names, 5, say=shown)


def _percent(amount: float, room: Room) -> str:
    return f"{FULL * amount / room.total:.4g} %" if room.total else f"{amount:g}"


def _ends(child: Child, low: float, high: float) -> list[float]:
    """From one amount to another, with the values of the demand between them."""
    values = child.demand.values if child.demand is not None else ()
    return [low, *dict.fromkeys(value for value in values if low < value < high), high] if low < high else [low]


def _line(start: float, ends: Sequence[float], slopes: Sequence[float]) -> Line:
    lengths = tuple(abs(after - before) for before, after in pairwise(ends))
    return Line(start=start, lengths=lengths, slopes=tuple(slopes))
