"""A joint plan is the best there is, keeps every limit, and leaves what need not be changed."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import InfeasiblePlan
from tests.worker.decisions.problems import TOTAL, all_plans, costs_in_all, rooms, siblings
from worker.decisions.problem import Child, Pooled, Room
from worker.decisions.siblings import Method, allocated
from worker.decisions.water_filling import filled

TIGHT = 1e-6


def a_child(name: str, present: float, *values: float, **limits: float) -> Child:
    return Child(name=name, present=present, demand=Pooled.of(values) if values else None, **limits)


@settings(max_examples=150, deadline=None)
@given(siblings(), rooms())
def test_a_plan_is_as_good_as_the_best_of_all_that_keep_the_limits(children: list[Child], room: Room) -> None:
    best = min((costs_in_all(children, plan, room) for plan in all_plans(children, room)), default=inf)
    found = allocated(children, room)  # doing nothing is always possible here
    assert costs_in_all(children, found.capacities, room) == pytest.approx(best, abs=TIGHT * TOTAL)
    assert found.planned + found.changing == pytest.approx(best, abs=TIGHT * TOTAL)


@settings(max_examples=150, deadline=None)
@given(siblings(), rooms())
def test_programme_and_water_filling_find_the_same_where_changes_may_be_of_any_size(children: list[Child], room: Room) -> None:
    room = replace(room, step=0.0, most_changes=None)
    found = [allocated(children, room).capacities, filled(children, room).capacities]
    costs = [costs_in_all(children, capacities, room) for capacities in found]
    assert costs[0] == pytest.approx(costs[1], abs=TIGHT)


@settings(max_examples=100, deadline=None)
@given(siblings(most=8), rooms())
def test_every_limit_is_kept(children: list[Child], room: Room) -> None:
    found = allocated(children, room)
    moves = [amount - child.present for child, amount in zip(children, found.capacities, strict=True)]
    changed = [move for move in moves if move]
    assert sum(found.capacities) == pytest.approx(TOTAL, abs=TIGHT) or (not room.is_exact and sum(found.capacities) < TOTAL)
    assert sum(max(0.0, move) for move in moves) <= room.budget + TIGHT
    assert all(abs(move) >= room.step - TIGHT for move in changed)
    assert len(changed) <= (TOTAL if room.most_changes is None else room.most_changes)
    for child, amount in zip(children, found.capacities, strict=True):
        assert child.lowest <= amount <= child.highest
        assert not child.is_fixed or amount == child.present


@settings(max_examples=60, deadline=None)
@given(siblings(), rooms(), st.integers(0, 3), st.sampled_from([1.5, 3.0]))
def test_who_is_worth_more_runs_no_shorter(children: list[Child], room: Room, place: int, factor: float) -> None:
    """Where a plan has something to give that nobody needs, it may lie with anyone."""
    place %= len(children)
    dearer = [replace(child, kappa=child.kappa * (factor if at == place else 1)) for at, child in enumerate(children)]
    demand = children[place].demand
    if demand is not None:
        before, after = (demand.shortfall(allocated(each, room).capacities[place]) for each in (children, dearer))
        assert after <= before + TIGHT * TOTAL


@settings(max_examples=60, deadline=None)
@given(siblings(most=3), rooms(), st.integers(2, 3))
def test_equal_children_get_equal_capacities(children: list[Child], room: Room, times: int) -> None:
    copies = [replace(child, name=f"{child.name}-{copy}") for child in children for copy in range(times)]
    found = allocated(copies, replace(room, total=room.total * times)).capacities
    for start in range(0, len(copies), times):
        assert len(set(found[start : start + times])) == 1


@settings(max_examples=60, deadline=None)
@given(siblings(), rooms(), st.sampled_from([1 / 1024, 0.001, 1000.0, 2.0**20]))
def test_a_plan_in_another_unit_is_the_same_plan(children: list[Child], room: Room, unit: float) -> None:
    scaled = [
        replace(
            child,
            present=child.present * unit,
            demand=None if child.demand is None else Pooled.of([v * unit for v in child.demand.values], child.demand.masses),
            floor=child.floor * unit,
            ceiling=child.ceiling * unit,
            maximum=child.maximum * unit,
        )
        for child in children
    ]
    other = replace(room, total=room.total * unit, budget=room.budget * unit, step=room.step * unit)
    before, after = allocated(children, room), allocated(scaled, other)
    assert after.planned + after.changing == pytest.approx((before.planned + before.changing) * unit, abs=1e-5 * unit * TOTAL)


@settings(max_examples=40, deadline=None)
@given(siblings(), rooms())
def test_where_changes_are_beyond_price_nothing_is_done(children: list[Child], room: Room) -> None:
    for price in (1e6, inf):
        found = allocated(children, replace(room, price_hours=price))
        assert found.capacities == tuple(child.present for child in children)


def test_a_queue_that_runs_short_is_given_what_another_does_not_need() -> None:
    children = [
        a_child("etl", 40, *range(30, 60)),
        a_child("adhoc", 60, *range(10, 30)),
        a_child("bi", 20, 5.0, is_protected=True),
    ]
    found = allocated(children, Room(total=120, budget=12, step=2.4, most_changes=5))
    assert found.capacities == pytest.approx((52, 48, 20))
    assert found.method is Method.PROGRAMME
    assert found.planned < found.kept


def test_what_two_could_have_alike_is_shared_out_between_them() -> None:
    children = [a_child("a", 30, 20.0, 90.0, ceiling=45), a_child("b", 30, 20.0, 90.0, ceiling=46), a_child("c", 40, 10.0)]
    found = allocated(children, Room(total=100, budget=20, step=2, most_changes=3))
    assert found.capacities == pytest.approx((40, 40, 20), abs=0.5)


@pytest.mark.parametrize(
    ("children", "limits", "said"),
    [
        ([a_child("etl", 60, 1.0, floor=60), a_child("bi", 40, 1.0, floor=44)], {}, "floors of etl and bi add up to 104 %"),
        ([a_child("etl", 60), a_child("bi", 40, 1.0, floor=44)], {}, "floors of bi with what etl keeps add up to 104 %"),
        (
            [a_child("etl", 60, 1.0, ceiling=50), a_child("bi", 40)],
            {},
            "ceilings of etl with what bi keeps add up to 90 %, and all",
        ),
        (
            [a_child("etl", 60, 1.0, floor=55, maximum=50), a_child("bi", 40, 1.0)],
            {},
            "the floor of etl, 55 %, is above what it may",
        ),
        (
            [a_child("etl", 40, 1.0, floor=60), a_child("bi", 60, 1.0)],
            {"budget": 10.0},
            "budget of 10 %: floors alone ask for 20 %",
        ),
        ([a_child("etl", 40, 1.0, floor=60), a_child("bi", 60, 1.0)], {"most_changes": 1}, "1 changes: floors and ceilings"),
        ([a_child("etl", 40, 1.0, floor=41, ceiling=41), a_child("bi", 60, 1.0)], {"step": 2.0}, "changes of at least 2 %"),
    ],
)
def test_what_cannot_be_kept_is_told_in_a_sentence(children: list[Child], limits: dict[str, float], said: str) -> None:
    with pytest.raises(InfeasiblePlan, match=said):
        allocated(children, Room(total=100, **limits))


def test_where_the_solver_has_no_time_water_filling_keeps_the_limits_too() -> None:
    needs = [9.0, 8.0, 1.0, 0.5, *[4.5] * 16]
    children = [a_child(f"q{place}", 5.0, *(need * part / 8 for part in range(4, 12))) for place, need in enumerate(needs)]
    room = Room(total=100, budget=10, step=2, most_changes=5)
    found = allocated(children, room, seconds=0.0)
    moves = [amount - 5.0 for amount in found.capacities if amount != 5.0]
    assert found.method in (Method.WATER_FILLING, Method.BEST_IN_TIME)
    assert sum(found.capacities) == pytest.approx(100)
    assert 0 < len(moves) <= 5
    assert min(map(abs, moves)) >= 2 - TIGHT
    best = allocated(children, room)
    assert best.planned + best.changing <= found.planned + found.changing < found.kept
