"""A forecast of amounts in percent of the guarantee now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.capacities import Capacity, Resources
from shared.domain.components import Components
from shared.domain.exceedance import beyond_share, over_limit
from shared.domain.forecasts import Forecast
from shared.domain.moving import Limits
from shared.domain.outlook import breaches
from shared.domain.peaks import daily_peaks
from shared.domain.queue_tree import Share
from shared.domain.relative import factor_of, in_percent_of_guaranteed, limits_of, relative_of
from shared.domain.units import Unit
from tests.factories import MONDAY, a_forecast, with_distribution

AMOUNTS = {"metric": "demand_memory_mb", "unit": Unit.MEGABYTES, "guaranteed": 200.0, "maximum": 400.0}
MADE_OF = Components(level=40.0, shift=2.0, day=(1.0, 2.0, 3.0), occasions=(0.0, 5.0, 0.0))


def of_amounts(**changes: Any) -> Forecast:
    return replace(with_distribution(a_forecast(**AMOUNTS)), components=MADE_OF, **changes)


def test_every_number_is_the_same_part_of_the_guarantee() -> None:
    forecast = of_amounts()
    told = in_percent_of_guaranteed(forecast)
    assert told is not None
    assert (told.unit, told.guaranteed, told.maximum) == (Unit.PERCENT, 100.0, 200.0)
    assert told.prediction == (25.0, 30.0, 27.5)
    for mine, its in zip(daily_peaks(told, MONDAY), daily_peaks(forecast, MONDAY), strict=True):
        assert (mine.prediction, mine.upper_bound, mine.timestamp) == (its.prediction / 2, its.upper_bound / 2, its.timestamp)
    parts, amounts = told.components.of(told.prediction), forecast.components.of(forecast.prediction)
    assert {name: [2 * value for value in steps] for name, steps in parts.items()} == {
        name: pytest.approx(list(steps)) for name, steps in amounts.items()
    }
    assert told.paths is not None
    assert forecast.paths is not None
    assert told.paths.rows()[5] == pytest.approx([value / 2 for value in forecast.paths.rows()[5]])


def test_what_it_exceeds_and_how_likely_is_what_it_was() -> None:
    forecast = of_amounts(guaranteed=55.0, maximum=80.0)
    told = in_percent_of_guaranteed(forecast)
    assert told is not None
    for exceeding in (beyond_share, over_limit):
        mine, its = exceeding(told, MONDAY), exceeding(forecast, MONDAY)
        assert mine is not None
        assert its is not None
        assert (mine.likely, mine.possible) == (its.likely, its.possible)
    [mine, *_], [its, *_] = breaches(told, [100.0], MONDAY), breaches(forecast, [55.0], MONDAY)
    assert (mine.likelihood, mine.hours) == (its.likelihood, its.hours)


def test_a_changed_guarantee_is_a_division() -> None:
    assert [factor_of(of_amounts(guaranteed=mb)) for mb in (100.0, 200.0, 400.0)] == [1.0, 0.5, 0.25]
    relative = relative_of(of_amounts(), MONDAY)
    assert relative is not None
    [peak] = daily_peaks(of_amounts(), MONDAY)
    assert (relative.factor, relative.peak, relative.peak_upper_bound) == (0.5, peak.prediction / 2, peak.upper_bound / 2)


@pytest.mark.parametrize("changes", [{"guaranteed": None}, {"guaranteed": 0.0}, {"unit": None}])
def test_without_a_guarantee_nothing_is_told(changes: dict[str, Any]) -> None:
    forecast = of_amounts(**changes)
    assert (factor_of(forecast), relative_of(forecast, MONDAY), in_percent_of_guaranteed(forecast)) == (None, None, None)


def test_percentages_are_what_they_are_and_fractions_a_hundred_times() -> None:
    percent, fraction = a_forecast(), a_forecast(unit=Unit.FRACTION, guaranteed=1.0, prediction=(0.5, 0.6, 0.55))
    assert in_percent_of_guaranteed(percent) is percent
    told = in_percent_of_guaranteed(fraction)
    assert told is not None
    assert (told.prediction, told.guaranteed) == (pytest.approx((50.0, 60.0, 55.0)), 100.0)
    assert relative_of(percent, MONDAY) is None


def test_limits_of_a_tree_are_told_in_each_unit_of_memory() -> None:
    has, most = Resources(memory_mb=2048, vcores=4), Resources(memory_mb=4096, vcores=8)
    share = Share(capacity=Capacity.of_percent(40.0), guaranteed=has, ceiling=most)
    assert limits_of(share, Unit.BYTES) == Limits(guaranteed=2.0**31, maximum=2.0**32)
    assert limits_of(share, Unit.GIGABYTES) == Limits(guaranteed=2.0, maximum=4.0)
    assert limits_of(share, Unit.VCORES) == Limits(guaranteed=4.0, maximum=8.0)
    assert limits_of(share, Unit.COUNT) is limits_of(share, None) is None
