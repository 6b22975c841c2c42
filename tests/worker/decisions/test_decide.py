"""One decision: properties that hold whatever the demand and the policy are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shared.domain.policies import Policy, QueueClass, QueueRule
from shared.domain.units import Unit
from worker.decisions.decide import decide
from worker.decisions.guards import ROUNDING
from worker.decisions.objective import Demand
from worker.decisions.terms import Facts, Terms
from worker.models.base import FloatArray

AMOUNTS = st.integers(0, 1_000).map(float)
PATHS = st.tuples(st.integers(1, 12), st.integers(1, 8)).flatmap(lambda shape: arrays(np.float64, shape, elements=AMOUNTS))
PRESENT = st.integers(1, 1_500).map(float)
TERMS = st.builds(
    Terms,
    kappa=st.floats(0.5, 40),
    price_hours=st.floats(0, 5),
    floor=st.sampled_from([0.0, 50.0, 200.0]),
    ceiling=st.sampled_from([300.0, 900.0, float("inf")]),
    grain=st.sampled_from([0.0, 1.0, 25.0]),
    smallest_step=st.sampled_from([0.0, 20.0]),
    is_critical=st.booleans(),
)


def morning(high: float = 450.0, paths: int = 64) -> FloatArray:
    """A hundred all day, and more from 2 to 5."""
    day = np.full(24, 100.0)
    day[2:5] = high
    return day + np.random.default_rng(0).normal(0, 8, (paths, 24))


@given(PATHS, PRESENT, TERMS)
def test_floors_ceilings_and_the_deepest_cut_hold(paths: FloatArray, present: float, terms: Terms) -> None:
    value = decide(Demand.of(paths), present, terms).value
    assert value >= present * (1 - terms.max_cut) * (1 - ROUNDING)
    assert value >= min(terms.floor, present)
    assert value <= max(terms.ceiling, present) * (1 + ROUNDING)
    if terms.floor <= present <= terms.ceiling:
        assert terms.floor <= value <= terms.ceiling


@given(PATHS, PRESENT, TERMS)
def test_nothing_is_done_where_changes_cost_everything(paths: FloatArray, present: float, terms: Terms) -> None:
    if terms.floor <= present <= terms.ceiling:
        assert decide(Demand.of(paths), present, replace(terms, price_hours=1e12)).value == present


@given(PATHS, PRESENT, TERMS)
def test_a_change_saves_more_than_it_costs(paths: FloatArray, present: float, terms: Terms) -> None:
    found = decide(Demand.of(paths), present, terms)
    if found.value != present and terms.floor <= present <= terms.ceiling:
        assert found.before.total(terms.kappa) > found.after.total(terms.kappa) + terms.price(present) * (1 - 1e-9)


@given(PATHS, PRESENT, TERMS, st.sampled_from([0.25, 4.0]))
def test_scaled_demand_gives_a_scaled_decision(paths: FloatArray, present: float, terms: Terms, factor: float) -> None:
    amounts = ("floor", "ceiling", "grain", "smallest_step")
    scaled = replace(terms, **{name: getattr(terms, name) * factor for name in amounts})
    found = decide(Demand.of(paths), present, terms)
    if abs(found.gain) > 1e-6 * present:
        other = decide(Demand.of(paths * factor), present * factor, scaled)
        assert other.value == pytest.approx(factor * found.value)


@given(st.floats(50, 900), st.floats(1, 14), st.floats(1, 14), st.floats(0, 3))
def test_more_kappa_never_lowers_the_decision(present: float, one: float, other: float, price: float) -> None:
    demand = Demand.of(morning())
    low, high = (
        decide(demand, present, Terms(kappa=kappa, price_hours=price)).value for kappa in (min(one, other), max(one, other))
    )
    assert low <= high + 1e-9


def test_what_a_change_saves_is_told_where_it_is_not_worth_its_price() -> None:
    found = decide(Demand.of(morning()), 400.0, Terms(), Facts(unit=Unit.VCORES))
    assert found.value == 400.0
    assert "less than the 480 vcores·h that a change counts" in found.kept_because


def test_a_guard_withholds_what_would_be_worth_it() -> None:
    found = decide(Demand.of(morning()), 200.0, Terms(), Facts(history_days=3.0))
    assert (found.value, found.is_withheld) == (200.0, True)


def test_a_floor_is_kept_whatever_it_costs() -> None:
    assert decide(Demand.of(morning()), 50.0, Terms(floor=60.0, ceiling=60.0, price_hours=1e9)).value == 60.0


def test_a_protected_queue_is_never_changed() -> None:
    assert decide(Demand.of(morning()), 50.0, Terms(floor=60.0, is_protected=True)).value == 50.0


def test_the_terms_of_a_queue_are_what_its_policy_says_of_it() -> None:
    etl = QueueRule(queue="root.etl", queue_class=QueueClass.CRITICAL, floor=20.0, ceiling=60.0)
    terms = Terms.of(Policy(cluster="prod", parent="root", queues=(etl,)), "root.etl", whole=1_000.0, grain=1.0)
    assert (terms.kappa, terms.floor, terms.ceiling, terms.is_critical) == (20.0, 200.0, 600.0, True)
    assert (terms.smallest_step, terms.max_cut, terms.price_hours) == (20.0, 0.25, 1.2)
    other = Terms.of(Policy(cluster="files:", parent="", queues=(replace(etl, queue="vm1"),)), "vm1")
    assert (other.floor, other.ceiling, other.smallest_step) == (20.0, 60.0, 0.0)
