"""The cost of a capacity, and the capacity that costs least."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from worker.decisions.objective import COSTLY, Demand, cost_of, level_of, pooled_quantile, quantile_of
from worker.models.base import FloatArray

AMOUNTS = st.integers(0, 1_000).map(float)
SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 8))
PATHS = SHAPES.flatmap(lambda shape: arrays(np.float64, shape, elements=AMOUNTS))
KAPPAS = st.floats(0.1, 60)


def test_the_cost_is_what_lies_idle_and_what_is_short_times_hours() -> None:
    demand = Demand.of(np.array([[10.0, 40.0], [20.0, 20.0]]), hours=0.5)
    cost = cost_of(demand, 25.0)
    assert (cost.slack, cost.shortfall) == (pytest.approx((15 + 5 + 5) / 2 * 0.5), pytest.approx(15 / 2 * 0.5))
    assert cost.total(10) == pytest.approx(6.25 + 37.5)


def test_steps_that_do_not_count_cost_nothing() -> None:
    demand = Demand.of(np.array([[10.0, 400.0]]), counts=np.array([True, False]))
    assert cost_of(demand, 10.0).total(10) == 0
    assert pooled_quantile(demand, 10) == 10


def test_a_capacity_may_be_one_for_each_step() -> None:
    assert cost_of(Demand.of(np.array([[10.0, 40.0]])), np.array([10.0, 40.0])).total(10) == 0


def test_paths_count_by_their_mass() -> None:
    demand = Demand.of(np.array([[10.0], [100.0]]), mass=np.array([0.99, 0.01]))
    assert cost_of(demand, 10.0).shortfall == pytest.approx(0.9)
    assert quantile_of(demand.values, demand.mass, 0.6) == 10


def test_the_quantile_is_one_value_further_than_the_share() -> None:
    values = np.arange(1.0, 100.0)[:, np.newaxis]  # 99 values: the 90 % quantile is the 90th of 100
    assert quantile_of(values, np.full(99, 1 / 99), 0.9) == 90
    assert quantile_of(values, np.full(99, 1 / 99), 0.999) == 99


def test_recent_days_count_more_where_a_shortage_is_dear() -> None:
    demand = Demand.of(np.array([[10.0]] * 6 + [[50.0]] * 4), is_recent=np.array([False] * 6 + [True] * 4))
    assert demand.mass_for(COSTLY - 1) == pytest.approx(0.1)  # they have more than a third
    assert demand.mass_for(COSTLY)[-4:].sum() == pytest.approx(2 / 3)
    assert demand.mass_for(COSTLY).sum() == pytest.approx(1)


def test_the_last_week_counts_for_decisions_and_not_for_chances() -> None:
    demand = Demand.of(np.full((8, 1), 10.0), week=np.array([[50.0], [60.0]]))
    assert demand.mass.tolist() == [0.125] * 8 + [0.0] * 2
    assert demand.mass_for(10)[-2:].sum() == pytest.approx(1 / 3)
    assert demand.mass_for(COSTLY)[-2:].sum() == pytest.approx(2 / 3)
    assert quantile_of(demand.values, demand.mass, 1.0) == 10
    assert pooled_quantile(demand, 10) == 60


@given(PATHS, KAPPAS)
def test_no_other_capacity_costs_less_than_the_pooled_quantile(paths: FloatArray, kappa: float) -> None:
    demand = Demand.of(paths)
    best = quantile_of(demand.values, demand.mass, level_of(kappa))
    corrected = min(level_of(kappa) * (paths.size + 1) / paths.size, 1.0)  # for the value that was not seen yet
    if corrected > 1 - 1e-9:
        assert best == paths.max()
        return
    of_corrected = corrected / (1 - corrected)
    costs = [cost_of(demand, capacity).total(of_corrected) for capacity in {*paths.ravel(), *np.arange(0.0, 1_000.0, 7.0)}]
    assert cost_of(demand, best).total(of_corrected) <= min(costs) * (1 + 1e-9) + 1e-6


@given(PATHS, KAPPAS, KAPPAS, st.data())
def test_more_kappa_never_lowers_a_capacity(paths: FloatArray, one: float, other: float, data: st.DataObject) -> None:
    marks, is_week = data.draw(arrays(np.bool_, len(paths))), data.draw(st.booleans())
    demand = Demand.of(paths, is_recent=marks, week=paths[:2] * 2 if is_week else None)
    assert pooled_quantile(demand, min(one, other)) <= pooled_quantile(demand, max(one, other))


@given(PATHS, KAPPAS, st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_scaled_demand_gives_scaled_capacity(paths: FloatArray, kappa: float, factor: float) -> None:
    assert pooled_quantile(Demand.of(paths * factor), kappa) == factor * pooled_quantile(Demand.of(paths), kappa)


@given(PATHS, KAPPAS)
def test_the_pooled_quantile_is_a_value_that_may_come(paths: FloatArray, kappa: float) -> None:
    assert pooled_quantile(Demand.of(paths), kappa) in paths
