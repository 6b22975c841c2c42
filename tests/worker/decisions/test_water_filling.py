"""Water-filling: the next unit is worth the same to all who are not at a bound, and so it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from tests.worker.decisions.problems import TOTAL, rooms, siblings
from worker.decisions.problem import Child, Pooled, Room, slope
from worker.decisions.water_filling import explained, filled, stepwise


def a_child(name: str, present: float, *values: float, **limits: float) -> Child:
    return Child(name=name, present=present, demand=Pooled.of(values), **limits)


@settings(max_examples=100, deadline=None)
@given(siblings(), rooms())
def test_nobody_would_save_more_by_the_next_unit_than_another_loses(children: list[Child], room: Room) -> None:
    room = replace(room, price_hours=0.0, budget=float(TOTAL))
    found = filled(children, room)
    pairs = list(zip(children, found.capacities, strict=True))
    gains = [-slope(child, room, amount) for child, amount in pairs if amount < child.highest - 1e-9]
    losses = [-slope(child, room, amount - 1e-9) for child, amount in pairs if amount > child.lowest + 1e-9]
    assert max(gains, default=0.0) <= min(losses, default=float("inf")) + 1e-6 or (not room.is_exact and max(gains) <= 1e-6)
    if found.level is not None and gains and losses:
        assert max(gains) - 1e-6 <= found.level <= min(losses) + 1e-6


def test_equal_risks_are_found_and_told() -> None:
    children = [a_child("etl", 30, *range(100)), a_child("adhoc", 70, *range(50)), a_child("lab", 20, 1.0)]
    found = filled(children, Room(total=120, price_hours=0.0))
    assert found.capacities[0] / 100 == pytest.approx(found.capacities[1] / 50, abs=0.02)
    said = explained(children, [60.0, 48.0, 12.0])
    assert said == "etl passes its guarantee 40 % of the time, adhoc 2 %, lab never"


def test_a_shortage_that_is_next_to_nothing_is_not_called_none() -> None:
    rare = Child(name="rare", present=1, demand=Pooled(values=(1.0, 9.0), masses=(0.9999, 0.0001)))
    assert explained([rare], [2.0]) == "rare passes its guarantee less than 0.1 % of the time"
    assert explained([replace(rare, demand=None)], [2.0]) == ""
    assert explained([rare], [0.0]) == "rare passes its guarantee 100 % of the time"
    assert explained([rare], [1e9]) == "none of them passes its guarantee"


def test_of_many_children_those_are_named_that_run_short_most() -> None:
    many = [a_child(f"q{place}", 1.0, *[2.0] * place, *[0.0] * (9 - place)) for place in range(1, 9)]
    assert explained(many, [1.0] * 8).endswith("q3 33 %, 2 others no more than that")
    assert explained(many[1:], [1.0] * 7).endswith("q3 33 %, 1 other no more than that")


@pytest.mark.parametrize(("most", "changed"), [(2, 2), (3, 3), (4, 4), (1, 0)])
def test_with_few_changes_the_largest_ones_are_made(most: int, changed: int) -> None:
    needs = {"far": 60.0, "near": 30.0, "lends": 10.0, "lends-little": 15.0}
    children = [a_child(name, 25.0, need) for name, need in needs.items()]
    found = stepwise(children, Room(total=100, price_hours=0.1, most_changes=most, step=2))
    moved = [abs(amount - 25) for amount in found.capacities if amount != 25]
    assert len(moved) == changed
    assert sum(found.capacities) == pytest.approx(100)
