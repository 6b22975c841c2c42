"""What each child gets, in whole steps, once a plan is solved: a part of the parent as percentage or weight, or an amount.

A plan that whole steps carry beyond a limit is made again with a little less budget and a little larger a step: it then fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import floor, log10

from shared.domain.capacities import NOTHING, Mode
from shared.domain.recommendations import Resource
from shared.errors import InfeasiblePlan
from worker.decisions.family import Family, child_of, likely, room_of
from worker.decisions.problem import FULL, ROUNDING, Child, Room, cost
from worker.decisions.rounding import TENTH, Target, decimal_of, in_allocations, rounded
from worker.decisions.siblings import Method, allocated
from worker.decisions.wanted import Shares, amounts_of, shares_of

FINE = 1_000  # steps of weights are no coarser than this part of all of them
SUM_TOLERANCE = 0.05  # of percentages: YARN's


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """Of one resource, or of a capacity in one number.

    children: as the plan sees them, in its unit, of which the parent has `full`. shares: what they may want.
    configured, written: what each has and is to have, as it is configured. after: the latter in the unit of the plan.
    method: how it was found.
    """

    children: tuple[Child, ...]
    shares: tuple[Shares | None, ...]
    room: Room
    full: float
    configured: tuple[Decimal, ...]
    written: tuple[Decimal, ...]
    after: tuple[float, ...]
    method: Method

    @property
    def changed(self) -> tuple[int, ...]:
        """Places of the children that get another capacity."""
        return tuple(place for place, number in enumerate(self.written) if number != self.configured[place])

    @property
    def told(self) -> tuple[Child, ...]:
        """The children with what they may want as chances count it, those too that keep what they have."""
        pairs = zip(self.children, self.shares, strict=True)
        return tuple(child if shares is None else replace(child, demand=likely(shares, self.full)) for child, shares in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """What is solved, and how it is written. unit: of what is configured, for one of the plan. grain: what it is a multiple of.

    total: of what is configured; None = it is a limit.
    """

    children: Sequence[Child]
    shares: Sequence[Shares | None]
    room: Room
    full: float
    configured: Sequence[Decimal]
    unit: Decimal
    grain: Decimal
    total: Decimal | None

    def allotment(self) -> Allotment:
        """Solved and written; all as it is where that is no dearer. Raises InfeasiblePlan."""
        room, grain = self.room, float(self.grain / self.unit)
        tighter = replace(room, budget=max(0.0, room.budget - grain * (room.most_changes or 0)), step=room.step + grain)
        for tried in (room, tighter):
            found = allocated(self.children, tried)
            written = self._written(found.capacities)
            if written is not None and self._is_kept(after := self._after(written)):
                break
        else:
            raise InfeasiblePlan("it does not come out in whole steps with such a budget and such a least change")
        presents = [child.present for child in self.children]
        if self._costs(after) >= self._costs(presents) and self._is_kept(presents):
            written, after = tuple(self.configured), presents
        return Allotment(
            children=tuple(self.children),
            shares=tuple(self.shares),
            room=room,
            full=self.full,
            configured=tuple(self.configured),
            written=written,
            after=tuple(after),
            method=found.method,
        )

    def _written(self, wanted: Sequence[float]) -> tuple[Decimal, ...] | None:
        places = range(len(wanted))
        targets = [self._target(self.children[place], wanted[place], self.configured[place]) for place in places]
        if self.total is not None:
            return rounded(targets, self.total, self.grain)
        return in_allocations(targets, decimal_of(self.room.total), self.grain)

    def _target(self, child: Child, wanted: float, configured: Decimal) -> Target:
        """With bounds beyond which it would be no change, or one too small."""
        if wanted == child.present:
            return Target(present=configured)
        low, high = (decimal_of(bound) * self.unit for bound in (child.lowest, child.highest))
        step = decimal_of(self.room.step) * self.unit
        if wanted > child.present:
            low = max(low, configured + step)
        else:
            high = min(high, configured - step)
        return Target(present=configured, wanted=decimal_of(wanted) * self.unit, low=low, high=high)

    def _after(self, written: Sequence[Decimal]) -> list[float]:
        places = range(len(written))
        is_same = [written[place] == self.configured[place] for place in places]
        return [self.children[place].present if is_same[place] else float(written[place] / self.unit) for place in places]

    def _is_kept(self, after: Sequence[float]) -> bool:
        """Whether limits that whole steps might pass are kept; bounds always are, where the present is within them."""
        near = ROUNDING * self.full
        moves = [amount - child.present for child, amount in zip(self.children, after, strict=True)]
        within = (
            child.lowest - near <= amount <= child.highest + near for child, amount in zip(self.children, after, strict=True)
        )
        fits = sum(after) <= self.room.total + near and (not self.room.is_exact or sum(after) >= self.room.total - SUM_TOLERANCE)
        return fits and sum(max(0.0, move) for move in moves) <= self.room.budget + near and all(within)

    def _costs(self, after: Sequence[float]) -> float:
        pairs = list(zip(self.children, after, strict=True))
        moved = sum(abs(amount - child.present) for child, amount in pairs)
        return sum(cost(child, self.room, amount) for child, amount in pairs) + self.room.price_hours * moved


def in_parts(family: Family) -> Allotment:
    """Of percentages or weights, in percent of the parent; raises InfeasiblePlan."""
    is_weight = family.mode is Mode.WEIGHT
    shares = [
        None if wanted is None else shares_of(wanted, family.whole, kappa, counts_vcores=family.counts_vcores)
        for wanted, kappa in zip(family.wanted, _kappas(family), strict=True)
    ]
    numbers = [share.capacity.weight if is_weight else share.capacity.percent for share in family.shares]
    configured = [decimal_of(number or 0.0) for number in numbers]
    total = sum(configured, start=Decimal(0))
    unit = total / 100 if is_weight else Decimal(1)
    is_rounded = not is_weight and abs(float(total) - FULL) <= SUM_TOLERANCE
    children = [
        child_of(family, place, float(present / unit), share, FULL)
        for place, (present, share) in enumerate(zip(configured, shares, strict=True))
    ]
    return _Frame(
        children=children,
        shares=shares,
        room=room_of(family, float(total / unit), FULL, is_exact=True),
        full=FULL,
        configured=configured,
        unit=unit,
        grain=Decimal(10) ** floor(log10(float(total) / FINE)) if is_weight else TENTH,
        total=Decimal(100) if is_rounded else total,
    ).allotment()


def in_amounts(family: Family, resource: Resource, changed: Sequence[int] = ()) -> Allotment:
    """Of MB, or of vcores; raises InfeasiblePlan.

    Args:
        changed: places of children that are changed anyway, by the plan of the other resource.
    """
    name = "memory_mb" if resource is Resource.MEMORY else "vcores"
    full = float(getattr(family.whole, name))
    presents = [int(getattr(share.capacity.resources or NOTHING, name)) for share in family.shares]
    shares = [
        None if wanted is None else amounts_of(wanted, resource, kappa)
        for wanted, kappa in zip(family.wanted, _kappas(family), strict=True)
    ]
    most = getattr(family.above.maximum.resources, name, 0) if family.above.maximum is not None else 0
    found = [
        replace(child_of(family, place, float(present), share, full), is_counted=place not in changed)
        for place, (present, share) in enumerate(zip(presents, shares, strict=True))
    ]
    room = room_of(family, full, full, is_exact=False)
    return _Frame(
        children=[replace(child, maximum=max(child.present, float(most))) for child in found] if most else found,
        shares=shares,
        room=replace(room, most_changes=max(0, family.policy.max_changes - len(changed))),
        full=full,
        configured=[Decimal(present) for present in presents],
        unit=Decimal(1),
        grain=Decimal(max(1, getattr(family.least, name))),
        total=None,
    ).allotment()


def _kappas(family: Family) -> list[float]:
    return [family.policy.rule(queue.path).weight for queue in family.children]
