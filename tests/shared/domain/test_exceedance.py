"""Where a forecast exceeds what its queue has and what it can get, from now on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.exceedance import Ahead, Exceedance, First, above_full, above_part, beyond_share, over_limit
from shared.domain.units import Unit
from tests.factories import MEMORY, MONDAY, a_forecast

HOUR = timedelta(hours=1)
HIGH = {"prediction": (100.0, 101.0, 90.0), "lower_bound": (80.0, 90.0, 70.0), "upper_bound": (100.0, 130.0, 100.5)}


def hours(found: Exceedance | None) -> tuple[list[int], list[int]] | None:
    """The steps that are likely and possible, by their hour."""
    return found and ([at.hour for at in found.likely], [at.hour for at in found.possible])


def test_a_step_is_likely_by_its_prediction_and_possible_by_its_upper_bound() -> None:
    assert hours(beyond_share(a_forecast(**HIGH), MONDAY)) == ([1], [2])
    assert hours(above_full(a_forecast(**HIGH), MONDAY)) == ([1], [2])


def test_without_a_maximum_what_is_guaranteed_is_the_limit_and_at_it_counts() -> None:
    assert hours(over_limit(a_forecast(**HIGH), MONDAY)) == ([0, 1], [2])


def test_beyond_its_share_is_not_over_the_limit() -> None:
    lent = a_forecast(**HIGH, maximum=300.0)
    assert hours(over_limit(lent, MONDAY)) == ([], [])
    assert hours(beyond_share(lent, MONDAY)) == ([1], [2])


def test_a_queue_that_gets_no_more_is_at_its_limit_though_never_above_it() -> None:
    capped = a_forecast(prediction=(99.4, 98.0, 80.0), upper_bound=(100.0, 100.0, 90.0), maximum=100.0)
    assert hours(over_limit(capped, MONDAY)) == ([0], [1])
    assert hours(above_full(capped, MONDAY)) == ([0], [1])
    assert hours(beyond_share(capped, MONDAY)) == ([], [])


@pytest.mark.parametrize(("minutes", "likely"), [(-60, [0, 1]), (59, [0, 1]), (60, [1]), (120, []), (600, [])])
def test_steps_that_are_over_do_not_count(minutes: int, likely: list[int]) -> None:
    found = over_limit(a_forecast(**HIGH), MONDAY + timedelta(minutes=minutes))
    assert found is not None
    assert [at.hour for at in found.likely] == likely
    assert found.first_at == (MONDAY + likely[0] * HOUR if likely else (MONDAY + 2 * HOUR if minutes < 180 else None))


@pytest.mark.parametrize("unit", [Unit.PERCENT, Unit.FRACTION])
def test_a_fraction_exceeds_what_its_percentage_does(unit: Unit) -> None:
    scale = 1.0 if unit is Unit.PERCENT else 0.01
    values = {name: tuple(scale * value for value in numbers) for name, numbers in HIGH.items()}
    told = above_full(a_forecast(unit=unit, guaranteed=100.0 * scale, **values), MONDAY)
    assert (told and told.level, hours(told)) == (100.0, ([1], [2]))


@pytest.mark.parametrize("changes", [MEMORY, {"unit": None, "guaranteed": None}], ids=["memory", "percent or fraction"])
def test_nothing_is_told_of_limits_that_are_not_known(changes: dict[str, Any]) -> None:
    forecast = a_forecast(**{**HIGH, **changes})
    assert [tell(forecast, MONDAY) for tell in (over_limit, beyond_share, above_full)] == [None] * 3


def test_a_part_of_the_limit_is_a_part_of_the_one_that_hurts() -> None:
    lent = a_forecast(prediction=(70.0, 101.0, 90.0), upper_bound=(75.0, 170.0, 95.0), maximum=200.0)
    assert hours(above_part(lent, MONDAY, 80.0)) == ([], [1])
    assert hours(above_part(lent, MONDAY, 100.0)) == hours(over_limit(lent, MONDAY)) == ([], [])


LIMITS = st.sampled_from([None, 50.0, 99.0, 100.0])


@given(
    values=st.lists(st.tuples(st.sampled_from([49.0, 49.5, 50.0, 79.2, 80.0, 99.0, 100.0, 101.0]), st.floats(0, 5)), min_size=1),
    guaranteed=LIMITS,
    maximum=LIMITS,
    over=st.integers(-1, 12),
)
def test_the_first_step_is_that_of_all_steps(
    values: list[tuple[float, float]], guaranteed: float | None, maximum: float | None, over: int
) -> None:
    prediction, upper = tuple(value for value, _ in values), tuple(value + more for value, more in values)
    forecast = a_forecast(
        prediction=prediction, lower_bound=prediction, upper_bound=upper, guaranteed=guaranteed, maximum=maximum
    )
    now = MONDAY + over * HOUR
    ahead = Ahead(forecast, now)
    assert ahead.is_over == (over >= len(values))
    found = [(ahead.above_part(percent), above_part(forecast, now, percent)) for percent in (50.0, 80.0, 100.0, 120.0)]
    for first, steps in [*found, (ahead.beyond_share(), beyond_share(forecast, now))]:
        told = steps and steps.first_at and First(first_at=steps.first_at, is_likely=steps.is_likely)
        assert first == (told or None)
