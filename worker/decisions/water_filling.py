"""Capacity by equal marginal cost: what a joint plan comes to, and how it is explained; the plan, where no solver finds one.

    λ ─────┬────────┬─────   all children are filled until the next unit saves each of them the same, λ; of those without a
      ▓▓▓▓▓│▓▓▓▓▓▓▓▓│▓▓▓▓    bound and a price: P(D > c) (1 + κ w) is the same (Everett, Generalized Lagrange multiplier method,
      etl  │  bi    │ adhoc  Operations Research 11, 1963; Boyd and Vandenberghe, Convex Optimization, example 5.2)

λ is found by bisection between the slopes that there are. Where several children have a piece of just that slope, each gets the
same part of it: so equal children get equal capacities.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from shared.domain.identifiers import shown
from shared.domain.wording import counted
from worker.decisions.problem import FULL, ROUNDING, Child, Line, Room, lowering, raising

MAX_NAMED = 6  # in an explanation
RARELY = 0.001  # of the time


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """Capacities in the order of the children, and what a further unit of capacity would save; None = there is room left."""

    capacities: tuple[float, ...]
    level: float | None


def filled(children: Sequence[Child], room: Room) -> Filling:
    """The cheapest capacities within bounds and budget; neither the least step nor the number of changes is looked at.

    Of children whose bounds `why_infeasible` passes.
    """
    raises, lowers = [raising(child, room) for child in children], [lowering(child, room) for child in children]
    whole = [_joined(child, lower, raised) for child, lower, raised in zip(children, lowers, raises, strict=True)]
    capacities, level = _shared_out(whole, room.total, is_limit=not room.is_exact)
    pairs = list(zip(children, capacities, strict=True))
    if sum(max(0.0, amount - child.present) for child, amount in pairs) <= room.budget + ROUNDING * room.total:
        return Filling(capacities=capacities, level=None if level is None else -level)
    given, level = _shared_out(raises, room.budget)
    taken, _ = _shared_out(lowers, sum(child.present for child in children) + sum(given) - room.total)
    if not room.is_exact:
        free, _ = _shared_out(lowers, room.total, is_limit=True)
        taken = max(taken, free, key=sum)
    moved = zip(children, given, taken, strict=True)
    return Filling(capacities=tuple(child.present + more - less for child, more, less in moved), level=-level if level else None)


def stepwise(children: Sequence[Child], room: Room) -> Filling:
    """The same with the least step and the number of changes: the smallest changes are left out, one after the other.

    What bounds force stays, though it be too small or too much: whoever asks looks at that.
    """
    chosen = list(children)
    while True:
        found = filled(chosen, room)
        moves = [amount - child.present for child, amount in zip(chosen, found.capacities, strict=True)]
        changed = [place for place, move in enumerate(moves) if abs(move) > ROUNDING * room.total]
        free = [place for place in changed if chosen[place].lowest <= chosen[place].present <= chosen[place].highest]
        small = min(free, key=lambda place: abs(moves[place]), default=None)
        most = len(changed) if room.most_changes is None else room.most_changes
        if small is None or (
            sum(chosen[place].is_counted for place in changed) <= most and abs(moves[small]) >= room.step * (1 - ROUNDING)
        ):
            return found
        alike = replace(chosen[small], name="")
        chosen = [replace(child, is_protected=True) if replace(child, name="") == alike else child for child in chosen]


def explained(children: Sequence[Child], capacities: Sequence[float]) -> str:
    """How much of the time each wants more than it is guaranteed; "" where nothing is known of any.

    `etl passes its guarantee 9 % of the time, adhoc 0.3 %`: it borrows then, or waits where nothing is to be lent.
    """
    pairs = [
        (child.demand.risk(amount), child.name)
        for child, amount in zip(children, capacities, strict=True)
        if child.demand is not None
    ]
    ordered = sorted(pairs, key=lambda pair: -pair[0])
    if not ordered:
        return ""
    if ordered[0][0] == 0.0:
        return "none of them passes its guarantee"
    (risk, worst), *rest = ordered[:MAX_NAMED]
    parts = [f"{shown(worst)} passes its guarantee {_share(risk)} of the time", *(f"{shown(n)} {_share(r)}" for r, n in rest)]
    more = f", {counted(len(ordered) - MAX_NAMED, 'other')} no more than that" if len(ordered) > MAX_NAMED else ""
    return ", ".join(parts) + more


def _share(risk: float) -> str:
    if risk == 0.0:
        return "never"
    percent = FULL * risk
    if percent >= 9.95:
        return f"{percent:.0f} %"
    return f"{percent:.2g} %" if risk >= RARELY else f"less than {FULL * RARELY:.1f} %"


def _joined(child: Child, lower: Line, raised: Line) -> Line:
    """Both ways in one line, from the least that the child may have."""
    least = child.present + raised.start - lower.start - sum(lower.lengths)
    slopes = (*(-slope for slope in reversed(lower.slopes)), *raised.slopes)
    return Line(start=least, lengths=(*reversed(lower.lengths), *raised.lengths), slopes=slopes)


def _shared_out(lines: Sequence[Line], total: float, *, is_limit: bool = False) -> tuple[tuple[float, ...], float | None]:
    """How much of each line is taken so that it is `total` in all, and the slope of the last piece.

    is_limit: nothing is taken that costs something, though it be less then.
    """
    reached = [[0.0, *accumulate(line.lengths)] for line in lines]

    def taken(level: float, side: Callable[[Sequence[float], float], int]) -> list[float]:
        return [line.start + ends[side(line.slopes, level)] for line, ends in zip(lines, reached, strict=True)]

    if is_limit and sum(free := taken(0.0, bisect_left)) <= total:
        return tuple(free), None
    slopes = sorted({slope for line in lines for slope in line.slopes})
    low, high = 0, len(slopes) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if sum(taken(slopes[middle], bisect_right)) >= total else (middle + 1, high)
    if not slopes:
        return tuple(line.start for line in lines), None
    below, above = taken(slopes[low], bisect_left), taken(slopes[low], bisect_right)
    width = sum(above) - sum(below)
    part = min(1.0, max(0.0, (total - sum(below)) / width)) if width > 0 else 0.0
    return tuple(least + part * (most - least) for least, most in zip(below, above, strict=True)), slopes[low]
