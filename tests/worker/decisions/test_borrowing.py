"""What is lent and what waits is counted step by step, and other guarantees never make less of what waits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.recommendations import Resource
from tests.worker.decisions.demands import BLOCKS, PATHS, STEPS
from worker.decisions.borrowing import borrowing
from worker.decisions.wanted import Shares
from worker.models.base import FloatArray


def shares(values: FloatArray, *, blocks: tuple[str, ...] = BLOCKS, is_part: bool = False) -> Shares:
    mass = np.full(len(values), 1 / len(values))
    return Shares(values=values, mass=mass, chances=mass, binding=Resource.MEMORY, hours=2.0, blocks=blocks, is_part=is_part)


def constant(value: float, paths: int = PATHS) -> FloatArray:
    return np.full((paths, STEPS), value)


def test_what_one_leaves_idle_another_borrows_and_the_rest_waits() -> None:
    found = borrowing([shares(constant(70.0)), shares(constant(20.0))], [40.0, 40.0], spare=0.0, full=100.0)
    assert found is not None
    hours = 2.0 * STEPS
    assert (found.unguaranteed, found.lent, found.waits) == pytest.approx((30 * hours, 20 * hours, 10 * hours))
    assert found.full_hours == pytest.approx(hours)


def test_days_as_they_were_are_nothing_that_may_wait() -> None:
    with_days = (*BLOCKS, "was 2026-01-04T00:00")
    rows = [np.concatenate([constant(value), constant(1e9, 1)]) for value in (70.0, 20.0)]
    plain = borrowing([shares(constant(70.0)), shares(constant(20.0))], [40.0, 40.0], spare=0.0, full=100.0)
    assert borrowing([shares(each, blocks=with_days) for each in rows], [40.0, 40.0], spare=0.0, full=100.0) == plain
    days = shares(constant(70.0, 1), blocks=with_days[-1:])
    assert borrowing([days, days], [40.0, 40.0], spare=0.0, full=100.0) is None


def test_what_nobody_is_guaranteed_is_lent_too_and_parts_are_of_the_whole() -> None:
    found = borrowing([shares(constant(0.7), is_part=True), shares(constant(0.2), is_part=True)], [40.0, 40.0], 20.0, 100.0)
    assert found is not None
    assert (found.waits, found.full_hours) == pytest.approx((0.0, 0.0))
    assert found.lent == pytest.approx(found.unguaranteed)


def test_hours_in_which_all_are_high_together_are_taken_together() -> None:
    """One is high where the other is low: together they never want more than there is, though each does half of the time."""
    high = np.where(np.arange(PATHS)[:, np.newaxis] % 2 == 0, 80.0, 20.0) * np.ones((1, STEPS))
    found = borrowing([shares(high), shares(100.0 - high)], [50.0, 50.0], 0.0, 100.0)
    assert found is not None
    assert found.waits == pytest.approx(0.0)
    assert found.unguaranteed == pytest.approx(30.0 * 2.0 * STEPS)


def test_without_a_block_in_common_or_with_other_steps_nothing_is_told() -> None:
    assert borrowing([shares(constant(1.0)), shares(constant(1.0), blocks=("other",) * PATHS)], [1.0, 1.0], 0.0, 2.0) is None
    assert borrowing([shares(constant(1.0)), shares(constant(1.0), blocks=())], [1.0, 1.0], 0.0, 2.0) is None
    assert borrowing([shares(constant(1.0)), shares(constant(1.0)[:, :2])], [1.0, 1.0], 0.0, 2.0) is None


@settings(max_examples=60)
@given(st.integers(0, 99), st.floats(0, 100))
def test_moving_guarantees_changes_what_is_lent_and_never_what_waits(seed: int, moved: float) -> None:
    dice = np.random.default_rng(seed)
    demands = [shares(dice.gamma(2, 25, (PATHS, STEPS))) for _ in range(2)]
    before, after = (borrowing(demands, capacities, 0.0, 100.0) for capacities in ([50.0, 50.0], [moved, 100.0 - moved]))
    assert before is not None
    assert after is not None
    assert after.waits == pytest.approx(before.waits, abs=1e-6)
    for found in (before, after):
        assert found.unguaranteed == pytest.approx(found.lent + found.waits)
