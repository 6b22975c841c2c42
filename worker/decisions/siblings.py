"""A joint plan for the children of one parent: as a linear programme, and with whole decisions as a mixed-integer one.

    min   Σ hours · (κ w E[(D − c)+] + slack E[(c − D)+])  +  Σ price · (u + v)
    s.t.  Σ c = C, or ≤ C of children in resources       c = present + u − v      floor ≤ c ≤ min(ceiling, maximum)
          Σ u ≤ budget        u, v = 0 or at least a step, one of them 0         at most N children with a change

The costs are convex and each child's its own, so that they are sums of pieces with rising slopes (Dantzig, Linear Programming
and Extensions, 1963, 24-1: separable convex programming). Where all of C is shared out, Σ slack is Σ shortfall and a constant, so
that a missing unit counts 1 + κ w. Solved by HiGHS (Huangfu and Hall, Parallelizing the dual revised simplex method, Mathematical
Programming Computation 10, 2018). Children that are equal in everything get equal capacities: they change together or not at all.
Of several plans that cost the same one is taken that moves least, as moving has a price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf

from shared.errors import InfeasiblePlan
from worker.decisions.problem import FULL, Child, Pooled, Room, cost, lowering, raising, why_infeasible
from worker.decisions.programme import Ending, Group, solved
from worker.decisions.water_filling import filled, stepwise

TIME_LIMIT = 5.0  # s of the solver; then the best that it has
NOTHING, NOTHING_OF_WHOLE = 1e-9, 2e-6  # of the total: moves of a solver that are none; where it decides 0 or 1, it is coarser


class Method(StrEnum):
    """How a plan was found."""

    NOTHING = "nothing can be changed"
    PROGRAMME = "programme"
    BEST_IN_TIME = "programme, the best of the time that it has"
    WATER_FILLING = "water-filling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Capacities in the order of the children, those of the unchanged to the last digit.

    kept, planned: costs in unit·hours of what there is and of the plan; changing: what the changes themselves cost.
    """

    capacities: tuple[float, ...]
    method: Method
    kept: float
    planned: float
    changing: float


Places = tuple[int, ...]  # of children that are equal


def allocated(children: Sequence[Child], room: Room, seconds: float = TIME_LIMIT) -> Allocation:
    """The best capacities of at least one child; raises InfeasiblePlan where bounds, budget and changes leave none."""
    if reason := why_infeasible(children, room):
        raise InfeasiblePlan(reason)
    whole, price = room.total or 1.0, _price(children, room)
    shares = replace(room, total=room.total / whole, budget=room.budget / whole, step=room.step / whole, price_hours=price)
    groups = _groups([_scaled(child, whole) for child in children])
    method, moves = _solved(groups, shares, seconds)
    capacities = [child.present for child in children]
    for (places, _), move in zip(groups, moves, strict=True):
        for place in places if abs(move) > _nothing(shares) else ():
            child = children[place]
            capacities[place] = min(child.highest, max(child.lowest, child.present + move * whole))
    pairs = list(zip(children, capacities, strict=True))
    return Allocation(
        capacities=tuple(capacities),
        method=method,
        kept=sum(cost(child, room, child.present) for child in children),
        planned=sum(cost(child, room, amount) for child, amount in pairs),
        changing=price * sum(abs(amount - child.present) for child, amount in pairs),
    )


def _solved(groups: Sequence[tuple[Places, Child]], room: Room, seconds: float) -> tuple[Method, Sequence[float]]:
    """By how much each child of each group changes."""
    columns = [_column(places, child, room) for places, child in groups]
    if not any(column.may_change for column in columns):
        return Method.NOTHING, [0.0] * len(columns)
    ending, moves = solved(columns, room, seconds)
    if ending is Ending.INFEASIBLE:
        raise InfeasiblePlan(_why(columns, room, seconds))
    if moves is not None and ending is Ending.SOLVED:
        return Method.PROGRAMME, _evened(groups, room, moves)
    return _in_time(groups, room, moves)


def _evened(groups: Sequence[tuple[Places, Child]], room: Room, moves: Sequence[float]) -> Sequence[float]:
    """The same children changed the same way, and what several could have as well as another shared out in proportion.

    A solver gives it to any of them.
    """
    decided = []
    for (_, child), move in zip(groups, moves, strict=True):
        if abs(move) <= _nothing(room):
            decided.append(replace(child, is_protected=True))
        elif move > 0:
            decided.append(replace(child, floor=max(child.floor, child.present + room.step)))
        else:
            decided.append(replace(child, ceiling=min(child.ceiling, child.present - room.step)))
    one_by_one = [child for (places, _), child in zip(groups, decided, strict=True) for _ in places]
    amounts = dict(zip(map(id, one_by_one), filled(one_by_one, room).capacities, strict=True))
    found = [amounts[id(child)] - child.present for child in decided]
    total = sum(len(places) * amounts[id(child)] for (places, _), child in zip(groups, decided, strict=True))
    raised = sum(len(places) * max(0.0, move) for (places, _), move in zip(groups, found, strict=True))
    fits = total <= room.total + NOTHING and (not room.is_exact or total >= room.total - NOTHING)
    is_as_good = _in_all(groups, room, found) <= _in_all(groups, room, moves) + NOTHING
    return found if fits and raised <= room.budget + NOTHING and is_as_good else moves


def _in_time(groups: Sequence[tuple[Places, Child]], room: Room, moves: Sequence[float] | None) -> tuple[Method, Sequence[float]]:
    """What the solver had when its time was over, or what water-filling finds, whichever is better."""
    filling = _without_solver(groups, room)
    if filling is None and moves is None:
        raise InfeasiblePlan("the solver found none in time, and water-filling none with so few changes of such a size")
    both = [(Method.WATER_FILLING, filling), (Method.BEST_IN_TIME, moves)]
    found = [(method, each) for method, each in both if each is not None]
    return min(found, key=lambda pair: _in_all(groups, room, pair[1]))


def _in_all(groups: Sequence[tuple[Places, Child]], room: Room, moves: Sequence[float]) -> float:
    pairs = zip(groups, moves, strict=True)
    return sum(
        len(places) * (cost(child, room, child.present + move) + room.price_hours * abs(move)) for (places, child), move in pairs
    )


def _without_solver(groups: Sequence[tuple[Places, Child]], room: Room) -> list[float] | None:
    """By water-filling; None where that does not come out."""
    one_by_one = [child for places, child in groups for _ in places]
    amounts = dict(zip(map(id, one_by_one), stepwise(one_by_one, room).capacities, strict=True))
    moves = [amounts[id(child)] - child.present for _, child in groups]
    over = sum(len(places) * amounts[id(child)] for places, child in groups) - room.total
    raised = sum(len(places) * max(0.0, move) for (places, _), move in zip(groups, moves, strict=True))
    changed = [
        (len(places) * child.is_counted, abs(move))
        for (places, child), move in zip(groups, moves, strict=True)
        if abs(move) > NOTHING
    ]
    is_shared_out = over <= NOTHING and (not room.is_exact or over >= -NOTHING) and raised <= room.budget + NOTHING
    are_few = room.most_changes is None or sum(count for count, _ in changed) <= room.most_changes
    is_kept = is_shared_out and are_few and all(size >= room.step - NOTHING for _, size in changed)
    return moves if is_kept else None


def _nothing(room: Room) -> float:
    """The largest move of a solver that is none."""
    return room.step / 2 or (NOTHING if room.most_changes is None else NOTHING_OF_WHOLE)


def _why(columns: Sequence[Group], room: Room, seconds: float) -> str:
    """What cannot be kept beside the bounds of the children, which can."""
    forced = sum(column.count * column.raised.start for column in columns)
    for other, words in (
        (replace(room, budget=inf), f"the budget of {FULL * room.budget:.4g} %: floors alone ask for {FULL * forced:.4g} %"),
        (replace(room, most_changes=None), f"{room.most_changes} changes: floors and ceilings ask for more"),
        (replace(room, step=0.0), f"changes of at least {FULL * room.step:.4g} %: floors and ceilings ask for less"),
    ):
        if solved(columns, other, seconds)[1] is not None:
            return f"it does not come out with {words}"
    return "it does not come out with the budget, the number of changes and the least change together"


def _groups(children: Sequence[Child]) -> list[tuple[Places, Child]]:
    """Those that are equal but for their names."""
    places: dict[Child, list[int]] = {}
    for place, child in enumerate(children):
        places.setdefault(replace(child, name=""), []).append(place)
    return [(tuple(each), child) for child, each in places.items()]


def _column(places: Places, child: Child, room: Room) -> Group:
    raised, lowered = raising(child, room), lowering(child, room)
    return Group(count=len(places), present=child.present, raised=raised, lowered=lowered, is_counted=child.is_counted)


def _scaled(child: Child, whole: float) -> Child:
    """In shares of a total, so that a solver's tolerances mean the same of every parent."""
    demand = child.demand
    return replace(
        child,
        present=child.present / whole,
        demand=None if demand is None else Pooled(values=tuple(v / whole for v in demand.values), masses=demand.masses),
        floor=child.floor / whole,
        ceiling=child.ceiling / whole,
        maximum=child.maximum / whole,
    )


def _price(children: Sequence[Child], room: Room) -> float:
    """Of moving a unit; one that no saving reaches is the same as any higher one, and infinity is nothing for a solver."""
    dearest = max(child.kappa * child.weight for child in children) + room.slack
    return min(room.price_hours, 2 * room.hours * dearest + 1.0)
