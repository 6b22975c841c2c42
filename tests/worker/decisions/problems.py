"""Problems of siblings for tests: all numbers whole, so that the best plan is whole, too, and can be found by trying them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from hypothesis import strategies as st

from worker.decisions.problem import Child, Pooled, Room, cost

TOTAL = 12
KAPPAS = (4.0, 10.0, 20.0)


@st.composite
def demands(draw: st.DrawFn) -> Pooled:
    """Of a few whole values."""
    return Pooled.of([float(value) for value in draw(st.lists(st.integers(0, TOTAL), min_size=1, max_size=6))])


@st.composite
def siblings(draw: st.DrawFn, most: int = 4) -> list[Child]:
    """Children that have the total together, each within its bounds."""
    number = draw(st.integers(1, most))
    cuts = sorted(draw(st.lists(st.integers(0, TOTAL), min_size=number - 1, max_size=number - 1)))
    presents = [b - a for a, b in zip([0, *cuts], [*cuts, TOTAL], strict=True)]
    return [draw(_child(f"q{place}", present)) for place, present in enumerate(presents)]


@st.composite
def _child(draw: st.DrawFn, name: str, present: int) -> Child:
    return Child(
        name=name,
        present=float(present),
        demand=draw(st.none() | demands() | demands() | demands()),
        floor=float(draw(st.integers(0, present))),
        ceiling=float(draw(st.integers(present, TOTAL))),
        maximum=draw(st.sampled_from([inf, float(TOTAL)])),
        kappa=draw(st.sampled_from(KAPPAS)),
        weight=draw(st.sampled_from([0.5, 1.0])),
        is_protected=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def rooms(draw: st.DrawFn) -> Room:
    """With all limits, or without some of them."""
    is_exact = draw(st.booleans())
    return Room(
        total=float(TOTAL),
        is_exact=is_exact,
        budget=draw(st.sampled_from([inf, 0.0, 1.0, 2.0, 5.0])),
        step=draw(st.sampled_from([0.0, 1.0, 2.0, 3.0])),
        most_changes=draw(st.sampled_from([None, 0, 1, 2, 3])),
        price_hours=draw(st.sampled_from([0.0, 1.2, 30.0])),
        slack=0.0 if is_exact else 1.0,
    )


def costs_in_all(children: Sequence[Child], capacities: Sequence[float], room: Room) -> float:
    """Of a plan, with what its changes cost."""
    pairs = list(zip(children, capacities, strict=True))
    moved = sum(abs(amount - child.present) for child, amount in pairs)
    return sum(cost(child, room, amount) for child, amount in pairs) + (room.price_hours * moved if moved else 0.0)


def all_plans(children: Sequence[Child], room: Room) -> Iterator[tuple[float, ...]]:
    """Every plan of whole numbers that keeps everything."""
    for capacities in _shared_out(list(children), int(room.total), is_exact=room.is_exact):
        moves = [amount - child.present for child, amount in zip(children, capacities, strict=True)]
        changed = [abs(move) for move in moves if move]
        is_within = sum(max(0.0, move) for move in moves) <= room.budget and all(size >= room.step for size in changed)
        if is_within and (room.most_changes is None or len(changed) <= room.most_changes):
            yield capacities


def _shared_out(children: list[Child], left: int, *, is_exact: bool) -> Iterator[tuple[float, ...]]:
    if not children:
        if left == 0 or not is_exact:
            yield ()
        return
    first, *others = children
    for amount in range(int(first.lowest), int(min(first.highest, left)) + 1):
        for rest in _shared_out(others, left - amount, is_exact=is_exact):
            yield (float(amount), *rest)
