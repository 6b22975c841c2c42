"""What stands between the cheapest capacity and a proposal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.basis import Basis
from shared.domain.units import Unit
from shared.domain.waiting import Cause, Verdict
from worker.decisions.guards import must_move, shaped, withheld
from worker.decisions.terms import Facts, Terms

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)


def value_of(target: float, present: float = 100.0, facts: Facts | None = None, **terms: Any) -> float:
    return shaped(target, present, Terms(**terms), facts or Facts()).value


def test_bounds_of_the_policy_hold_and_are_said() -> None:
    found = shaped(150.0, 100.0, Terms(ceiling=120.0), Facts(unit=Unit.VCORES))
    assert (found.value, found.notes) == (120.0, ("its policy gives it 120 vcores at most",))
    assert value_of(80.0, floor=90.0) == 90.0


def test_a_maximum_below_the_capacity_is_raised_with_it_or_holds() -> None:
    assert shaped(150.0, 100.0, Terms(maximum=120.0), Facts()).maximum == 150.0
    assert shaped(110.0, 100.0, Terms(maximum=120.0), Facts()).maximum is None
    held = shaped(150.0, 100.0, Terms(maximum=120.0, raises_maximum=False), Facts())
    assert (held.value, held.maximum) == (120.0, None)
    assert "may not be raised" in held.notes[0]


def test_capacities_are_whole_steps_upwards() -> None:
    assert value_of(101.2, grain=10.0) == 110.0
    assert value_of(110.0, grain=10.0) == 110.0
    assert value_of(112.0, grain=10.0, ceiling=115.0) == 110.0  # upwards would be above the ceiling
    assert value_of(0.3, present=0.2, grain=0.1) == pytest.approx(0.3)


def test_a_change_below_the_smallest_step_is_none() -> None:
    assert value_of(101.0, smallest_step=2.0) == 100.0
    assert value_of(102.0, smallest_step=2.0) == 102.0
    assert value_of(101.0, smallest_step=2.0, floor=101.0) == 101.0  # but the policy demands it


def test_one_change_takes_a_quarter_at_most() -> None:
    assert value_of(10.0) == 75.0
    assert value_of(10.0, grain=10.0) == 80.0
    assert value_of(1_000.0) == 1_000.0


def test_critical_queues_are_lowered_where_two_forecasts_agree() -> None:
    assert value_of(80.0, is_critical=True) == 100.0
    assert value_of(80.0, facts=Facts(agreed=110.0), is_critical=True) == 100.0
    assert value_of(80.0, facts=Facts(agreed=90.0), is_critical=True) == 90.0
    assert value_of(80.0, facts=Facts(agreed=70.0), is_critical=True) == 80.0
    assert value_of(120.0, is_critical=True) == 120.0


def test_critical_queues_keep_what_the_same_weekday_wanted() -> None:
    assert value_of(80.0, facts=Facts(agreed=80.0, weekday_peak=93.0), is_critical=True) == 93.0
    assert value_of(80.0, facts=Facts(agreed=80.0, weekday_peak=130.0), is_critical=True) == 100.0
    assert value_of(80.0, facts=Facts(weekday_peak=93.0)) == 80.0


@pytest.mark.parametrize(
    ("facts", "both", "said"),
    [
        (Facts(history_days=5.2), True, "known of 5.2 days"),
        (Facts(basis=Basis(at_least=0.34)), False, "34 % of the time"),
        (Facts(configured_at=NOW - timedelta(days=2), now=NOW), True, "changed on 2026-01-18 12:00"),
        (Facts(age_steps=30.0), True, "30 steps ago"),
        (Facts(is_calibrated=False), False, "has not held lately"),
    ],
)
def test_guards_that_forbid_to_lower_or_any_change(facts: Facts, both: bool, said: str) -> None:
    assert said in withheld(90.0, 100.0, facts)
    assert (said in withheld(110.0, 100.0, facts)) is both


def test_another_limit_than_capacity_forbids_to_raise() -> None:
    numbers = {"am_used_memory_mb": 2048.0, "am_limit_memory_mb": 2048.0}
    masters = Facts(verdict=Verdict(cause=Cause.MASTERS, numbers=numbers))
    assert "application masters is full" in withheld(110.0, 100.0, masters)
    assert not withheld(90.0, 100.0, masters)
    assert not withheld(110.0, 100.0, Facts(verdict=Verdict(cause=Cause.PARENT, numbers={})))


def test_guards_speak_in_their_order() -> None:
    facts = Facts(history_days=1.0, age_steps=99.0, is_calibrated=False)
    assert "known of 1.0 days" in withheld(90.0, 100.0, facts)


def test_what_is_just_enough_passes() -> None:
    facts = Facts(history_days=7.0, basis=Basis(at_least=0.2), configured_at=NOW - timedelta(days=3), now=NOW, age_steps=24.0)
    assert not withheld(90.0, 100.0, facts)


def test_a_capacity_outside_its_bounds_must_move() -> None:
    assert must_move(100.0, Terms(floor=101.0))
    assert must_move(100.0, Terms(ceiling=99.0))
    assert not must_move(100.0, Terms())
