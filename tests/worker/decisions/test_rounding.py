"""Sums are exact, bounds are kept, and what is not changed is not touched."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.decisions.rounding import TENTH, Target, decimal_of, in_allocations, rounded


def numbers(*texts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, texts))


def a_target(wanted: float, low: float = 0.0, high: float = 100.0, present: float = 0.0) -> Target:
    return Target(present=decimal_of(present), wanted=decimal_of(wanted), low=decimal_of(low), high=decimal_of(high))


@settings(max_examples=200)
@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=12), st.integers(0, 11))
def test_what_adds_up_to_100_is_100_in_tenths_each_less_than_one_away(parts: list[int], kept: int) -> None:
    wanted = [100 * part / sum(parts) for part in parts]
    found = rounded([a_target(each) for each in wanted], Decimal(100))
    assert found is not None
    assert sum(found) == 100
    assert all(each % TENTH == 0 and abs(float(each) - old) < 0.1 + 1e-9 for each, old in zip(found, wanted, strict=True))


def test_remainders_decide_and_an_untouched_child_keeps_its_very_number() -> None:
    untouched = Target(present=Decimal("25.55"))
    found = rounded([a_target(43.27), a_target(31.18), untouched], Decimal(100))
    assert found == numbers("43.25", "31.2", "25.55")  # one of the others takes what is no tenth
    assert rounded([untouched, Target(present=Decimal("74.45"))], Decimal(100)) == numbers("25.55", "74.45")


def test_nothing_goes_below_a_floor_or_above_a_ceiling() -> None:
    assert rounded([a_target(33.37, low=33.37), a_target(66.63)], Decimal(100)) == numbers("33.4", "66.6")
    assert rounded([a_target(33.37, high=33.37), a_target(66.63)], Decimal(100)) == numbers("33.3", "66.7")
    assert rounded([a_target(33.33, low=33.33, high=33.33), a_target(66.67)], Decimal(100)) == numbers("33.33", "66.67")
    assert rounded([a_target(40, low=40), a_target(61, low=61)], Decimal(100)) is None
    assert rounded([a_target(40, high=40), a_target(59, high=59)], Decimal(100)) is None


def test_weights_are_written_in_steps_of_their_own() -> None:
    found = rounded([a_target(1.23456), a_target(1.76544), Target(present=Decimal(1))], Decimal(4), Decimal("0.001"))
    assert found == numbers("1.235", "1.765", "1")


def test_amounts_are_whole_allocations_upwards_as_far_as_there_is_room() -> None:
    step, most = Decimal(1024), 1e6
    targets = [a_target(5000, high=most), a_target(3000, high=most), Target(present=Decimal(1000))]
    assert in_allocations(targets, Decimal(100_000), step) == numbers("5120", "3072", "1000")
    assert in_allocations(targets, Decimal(9_000), step) == numbers("4096", "3072", "1000")  # the one that was raised most
    assert in_allocations([a_target(5000, high=5100)], Decimal(100_000), step) == numbers("4096")
    assert in_allocations([a_target(5000, low=4500, high=5100)], Decimal(100_000), step) is None
    assert in_allocations([a_target(5000, low=5000, high=most)], Decimal(5_100), step) is None


@pytest.mark.parametrize("number", [12.1, 0.1 + 0.2, 100.0])
def test_a_number_is_taken_as_it_is_written(number: float) -> None:
    assert str(decimal_of(number)) == repr(number)
