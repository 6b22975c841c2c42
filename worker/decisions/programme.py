"""The programme of a joint plan as HiGHS takes it: columns, rows, and what becomes of its answer.

    columns   of each group, of its raise and of its cut: z, the step that it begins with, 0 or 1 of it; and the pieces beyond
    rows      what is shared out · the budget · a piece only with its z · raise or cut · the number of changes

    cost ▕╲
         ▕ ╲          ╱     nothing, or at least a step: the step is one column with the cost of all of it, and each piece
         ▕  o───o   ╱       beyond is at most so much of itself as there is of the step. So what lies between, which the solver
         ▕  z   pieces      begins with, is as near as can be (Günlük and Linderoth, Perspective reformulations, 2010)

A group is children that are equal in everything: of n of them all counts n times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from worker.decisions.problem import Line, Room

GAP = 1e-7  # relative to what the plan saves
MANY_COLUMNS = 1_000  # from here on presolve takes seconds and gains nothing; below, HiGHS prints lines of its own without it
FORCED = 1e-12  # of the total: a bound that is no more than that beyond what there is forces nothing


class Ending(Enum):
    """How the solver ended, by scipy's numbers."""

    SOLVED = 0
    OUT_OF_TIME = 1
    INFEASIBLE = 2
    UNBOUNDED = 3
    FAILED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """How many children it stands for, what each has, and what each may get and give, in shares of the total.

    is_counted: whether a change of it is one of those of which there may be so many.
    """

    count: int
    present: float
    raised: Line
    lowered: Line
    is_counted: bool = True

    @property
    def may_change(self) -> bool:
        """Whether there is anything to get or to give."""
        return bool(self.raised.lengths or self.lowered.lengths) or max(self.raised.start, self.lowered.start) > FORCED


@dataclass(frozen=True, slots=True)
class _Side:
    """One way for a group: the cost of what it begins with, whether it must; with the pieces beyond; its first column."""

    count: int
    sign: int
    cost: float
    is_forced: bool
    rest: Line
    column: int

    @property
    def pieces(self) -> range:
        """Their columns."""
        return range(self.column + 1, self.column + 1 + len(self.rest.lengths))

    @property
    def entries(self) -> list[tuple[int, float]]:
        """What is raised, or cut, of all that the group stands for: column and factor."""
        return [(self.column, self.count * self.rest.start), *((column, float(self.count)) for column in self.pieces)]


_Pair = tuple[_Side, _Side]  # raise and cut of a group


def solved(groups: Sequence[Group], room: Room, seconds: float) -> tuple[Ending, list[float] | None]:
    """Of each group by how much each child of it changes; None = none was found in time, or none is possible.

    Args:
        groups: at least one that may change. room: of a total of 1.
        seconds: after which the best that there is counts.
    """
    is_whole = room.step > 0 or room.most_changes is not None
    pairs = _sides(groups, room, is_whole=is_whole)
    sides = [side for pair in pairs for side in pair]
    spare = room.total - sum(group.count * group.present for group in groups)
    costs, low, high, whole = np.array([column for side in sides for column in _columns(side, is_whole=is_whole)]).T
    rows = _Rows()
    _share_out(rows, sides, spare, room)
    if is_whole:
        counted = [pair for pair, group in zip(pairs, groups, strict=True) if group.is_counted]
        _decide(rows, pairs, counted, room)
    options = {"time_limit": seconds, "mip_rel_gap": GAP, "presolve": len(costs) < MANY_COLUMNS}
    bounds, constraint = Bounds(low, high), rows.constraint(len(costs))
    found = milp(costs, integrality=whole, bounds=bounds, constraints=constraint, options=options)
    if found.x is None:
        return Ending(found.status), None
    moved = [side.sign * (side.rest.start * found.x[side.column] + sum(found.x[side.pieces])) for side in sides]
    return Ending(found.status), [float(up + down) for up, down in zip(moved[::2], moved[1::2], strict=True)]


def _sides(groups: Sequence[Group], room: Room, *, is_whole: bool) -> list[_Pair]:
    """Raise and cut of each. Neither is more than the budget, and what the children have beyond the total."""
    over = max(0.0, sum(group.count * group.present for group in groups) - room.total)
    most = room.budget, room.budget + over if room.is_exact else inf
    worth = _worth(groups, room)
    found, column = [], 0
    for group in groups:
        pair = []
        for place, line in enumerate((group.raised, group.lowered)):
            begun = _Begun.of(line, max(line.start, room.step if is_whole else 0.0), most[place] / group.count, worth[place])
            pair.append(_Side(group.count, 1 - 2 * place, begun.cost * group.count, line.start > FORCED, begun.line, column))
            column += 1 + len(begun.line.lengths)
        found.append((pair[0], pair[1]))
    return found


def _worth(groups: Sequence[Group], room: Room) -> tuple[float, float]:
    """The slopes from which on a raise, and a cut, are dearer than anything that they could be for."""
    spare = room.total - sum(group.count * group.present for group in groups)
    is_forced = any(max(group.raised.start, group.lowered.start) > FORCED for group in groups)
    if is_forced or (spare < -FORCED or (room.is_exact and spare > FORCED)):
        return inf, inf
    first_raise = min((slope for group in groups for slope in group.raised.slopes[:1]), default=inf)
    first_cut = min((slope for group in groups for slope in group.lowered.slopes[:1]), default=inf)
    return (-first_cut if room.is_exact else max(0.0, -first_cut)), max(0.0, -first_raise)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A line cut in two: what it begins with, `line.start`, and what that costs; and the pieces beyond."""

    line: Line
    cost: float

    @classmethod
    def of(cls, line: Line, first: float, most: float, worth: float) -> _Begun:
        """Without what is beyond `most`, or costs `worth` or more; nothing, where there is less than `first`."""
        taken, cost = line.start, 0.0
        kept = list[tuple[float, float]]()
        for length, slope in zip(line.lengths, line.slopes, strict=True):
            cost += min(length, max(0.0, first - taken)) * slope
            if (beyond := min(taken + length, most) - max(taken, first)) > 0 and slope < worth:
                kept.append((beyond, slope))
            taken += length
        if taken < first * (1 - FORCED):
            return cls(Line(start=line.start), 0.0)
        lengths, slopes = zip(*kept, strict=True) if kept else ((), ())
        return cls(Line(start=first, lengths=lengths, slopes=slopes), cost)


def _columns(side: _Side, *, is_whole: bool) -> Iterable[tuple[float, float, float, bool]]:
    """Of each column cost, lower and upper bound, and whether it is whole."""
    is_there = side.is_forced or not is_whole
    yield side.cost, float(is_there), 1.0, is_whole
    for length, slope in zip(side.rest.lengths, side.rest.slopes, strict=True):
        yield side.count * slope, 0.0, length, False


class _Rows:
    """Constraints, one after the other."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, float]] = []
        self._bounds: list[tuple[float, float]] = []

    def add(self, entries: Iterable[tuple[int, float]], low: float, high: float) -> None:
        """Column and factor of each entry, and between what their sum must be."""
        self._entries += [(len(self._bounds), column, factor) for column, factor in entries]
        self._bounds.append((low, high))

    def constraint(self, columns: int) -> LinearConstraint:
        """All of them."""
        rows, places, factors = zip(*self._entries, strict=True)
        low, high = zip(*self._bounds, strict=True)
        return LinearConstraint(csr_array((factors, (rows, places)), shape=(len(low), columns)), low, high)


def _share_out(rows: _Rows, sides: Sequence[_Side], spare: float, room: Room) -> None:
    """What is shared out beyond what the children have, and the budget."""
    moved = [(column, side.sign * factor) for side in sides for column, factor in side.entries]
    rows.add(moved, spare if room.is_exact else -inf, spare)
    if room.budget < inf:
        rows.add([entry for side in sides if side.sign > 0 for entry in side.entries], -inf, room.budget)


def _decide(rows: _Rows, pairs: Sequence[_Pair], counted: Sequence[_Pair], room: Room) -> None:
    """A piece only with what it begins with, one of both ways, and the number of changes."""
    for pair in pairs:
        for side in pair:
            for column, length in zip(side.pieces, side.rest.lengths, strict=True):
                rows.add([(column, 1.0), (side.column, -length)], -inf, 0.0)
        rows.add([(side.column, 1.0) for side in pair], 0.0, 1.0)
    if room.most_changes is not None and counted:
        rows.add([(side.column, float(side.count)) for pair in counted for side in pair], 0.0, float(room.most_changes))
