"""Both resources, and queues below a parent, are taken together by the blocks that their paths were drawn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shared.domain.basis import Basis
from shared.domain.recommendations import Resource
from tests.shared.yarn.trees import mb
from tests.worker.decisions.demands import BLOCKS, PATHS, STEPS, with_days
from worker.decisions.objective import Demand
from worker.decisions.terms import Facts
from worker.decisions.wanted import Wanted, added, amounts_of, shares_of

WHOLE = mb(1000, 100)


def a_wanted(memory: float, vcores: float | None = None, blocks: tuple[str, ...] = BLOCKS) -> Wanted:
    """On path number n so many times n."""
    numbers = np.arange(PATHS, dtype=float)[:, np.newaxis] * np.ones((1, STEPS))
    of_vcores = None if vcores is None else Demand.of(vcores * numbers)
    return Wanted(memory=Demand.of(memory * numbers), vcores=of_vcores, memory_blocks=BLOCKS, vcores_blocks=blocks)


def test_the_larger_part_counts_in_each_step() -> None:
    found = shares_of(a_wanted(10.0, 2.0), WHOLE, 10.0, counts_vcores=True)
    assert found.binding is Resource.VCORES
    assert found.values[:, 0] == pytest.approx(np.arange(PATHS) * 0.02)
    assert found.mass.sum() == pytest.approx(1.0)
    assert shares_of(a_wanted(10.0, 2.0), WHOLE, 10.0, counts_vcores=False).values[1, 0] == pytest.approx(0.01)
    assert shares_of(a_wanted(10.0), WHOLE, 10.0, counts_vcores=True).binding is Resource.MEMORY


def test_paths_of_both_resources_go_together_by_block_and_not_by_place() -> None:
    wanted = a_wanted(10.0, 1.0, blocks=BLOCKS[::-1])
    found = shares_of(wanted, WHOLE, 10.0, counts_vcores=True)
    numbers = np.arange(PATHS)
    assert found.values[:, 0] == pytest.approx(np.maximum(numbers, numbers[::-1]) * 0.01)


def test_without_a_block_in_common_the_one_counts_that_reaches_higher() -> None:
    found = shares_of(a_wanted(10.0, 2.0, blocks=("another",) * PATHS), WHOLE, 10.0, counts_vcores=True)
    assert found.binding is Resource.VCORES
    assert found.values[-1, 0] == pytest.approx((PATHS - 1) * 0.02)


def test_amounts_are_of_one_resource_and_only_where_it_is_forecast() -> None:
    found = amounts_of(a_wanted(10.0, 2.0), Resource.VCORES, 10.0)
    assert found is not None
    assert not found.is_part
    assert found.values[3, 0] == pytest.approx(6.0)
    assert amounts_of(a_wanted(10.0), Resource.VCORES, 10.0) is None


def test_a_parent_wants_on_each_path_what_its_children_want_on_it() -> None:
    found = added([a_wanted(1.0, 2.0), a_wanted(10.0, 1.0), a_wanted(100.0, 0.0)])
    assert found is not None
    assert found.vcores is not None
    assert found.memory.values[:, 0] == pytest.approx(np.arange(PATHS) * 111.0)
    assert found.vcores.values[:, 0] == pytest.approx(np.arange(PATHS) * 3.0)
    assert found.memory_blocks == BLOCKS
    other = replace(a_wanted(1.0), memory_blocks=("another",) * PATHS)
    assert added([a_wanted(1.0), other]) is None
    one_without = added([a_wanted(1.0, 1.0), a_wanted(1.0)])
    assert one_without is not None
    assert one_without.vcores is None


def test_a_parent_is_not_lowered_where_what_is_below_it_may_not_be() -> None:
    doubtful = replace(a_wanted(1.0), facts=Facts(basis=Basis(at_least=0.5)))
    short = replace(a_wanted(1.0), facts=Facts(history_days=2.0, basis=Basis(at_least=0.1)))
    both = added([short, doubtful])
    assert both is not None
    assert both.why_not(is_raise=True).startswith("its demand is known of 2.0 days")
    found = added([a_wanted(1.0), doubtful])
    assert found is not None
    assert found.why_not(is_raise=False).startswith("in 50 % of the time it was held back")
    assert not found.why_not(is_raise=True)


def rows_by_day(wanted: Wanted) -> dict[str, float]:
    return dict(zip(wanted.memory_blocks, wanted.memory.values[:, 0].tolist(), strict=True))


def test_a_parent_is_the_sum_of_its_children_on_each_day_that_all_of_them_have() -> None:
    one, other = with_days(a_wanted(1.0, 1.0), 2.0, (3, 4, 5)), with_days(a_wanted(10.0, 1.0), 3.0, (6, 5, 4))
    both = added([one, other])
    assert both is not None
    mine, others, found = (rows_by_day(each) for each in (one, other, both))
    assert set(found) == {*BLOCKS, "was 2026-01-04T00:00", "was 2026-01-05T00:00"}
    assert found == {name: pytest.approx(mine[name] + others[name]) for name in found}
    assert both.memory.mass[-2:].tolist() == [0.0, 0.0]
    assert both.memory.is_recent.tolist() == [False] * PATHS + [True] * 2
    assert both.vcores is not None
    assert both.vcores.is_recent.sum() == 2
    without = added([one, a_wanted(10.0, 1.0)])
    assert without is not None
    assert not without.memory.is_recent.any()
    assert added([replace(one, memory_blocks=("another",) * PATHS + one.memory_blocks[PATHS:]), other]) is None


def test_both_resources_of_a_day_go_together_and_have_its_mass_and_no_chance() -> None:
    wanted = with_days(a_wanted(10.0, 1.0), 5.0)
    for kappa, least in ((10.0, 1 / 3), (15.0, 2 / 3)):
        found = shares_of(wanted, WHOLE, kappa, counts_vcores=True)
        assert found.mass[PATHS:].sum() == pytest.approx(least)
        assert found.mass.sum() == pytest.approx(1.0)
        assert found.chances[PATHS:].sum() == 0.0
        assert found.values[PATHS, 0] == pytest.approx(10.0 * (PATHS - 1) / 2 * 5.0 * 1.01 / 1000)
        amount = amounts_of(wanted, Resource.VCORES, kappa)
        assert amount is not None
        assert amount.mass[PATHS:].sum() == pytest.approx(least)
