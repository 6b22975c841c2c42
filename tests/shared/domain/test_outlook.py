"""Numbers counted on joint paths: how likely a level is exceeded, for how long, and when first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.distribution import Paths, Quantiles
from shared.domain.forecasts import Forecast
from shared.domain.likelihood import Likelihood, probability
from shared.domain.outlook import FEWEST, Breach, breach_ahead, breaches, levels_told, may_breach, outlooks
from tests.factories import MONDAY, a_forecast

HOUR = timedelta(hours=1)


def with_paths(rows: list[list[float]], *, blocks: int = 14, **changes: Any) -> Forecast:
    flat = (50.0,) * len(rows[0])
    paths = Paths.of(rows, blocks=blocks, windows=7)
    return a_forecast(**{"prediction": flat, "lower_bound": flat, "upper_bound": flat, "paths": paths} | changes)


def whole(forecast: Forecast, level: float, hours: float = 0) -> Breach:
    return breaches(forecast, [level], MONDAY + hours * HOUR)[0]


def test_a_level_is_counted_on_the_paths_that_exceed_it() -> None:
    found = whole(with_paths([[50.0, 90.0, 90.0], [50.0, 50.0, 90.0], [50.0] * 3, [50.0] * 3]), 80.0)
    assert (found.start_at, found.end_at) == (MONDAY, MONDAY + 3 * HOUR)
    assert found.likelihood == Likelihood.ABOUT_50
    assert found.hours == pytest.approx(0.75)
    assert (found.not_before, found.first_at) == (MONDAY + HOUR, MONDAY + HOUR)


def test_steps_that_are_over_do_not_count() -> None:
    forecast = with_paths([[90.0, 50.0], [50.0, 50.0]])
    assert whole(forecast, 80.0).likelihood == Likelihood.ABOUT_50
    assert whole(forecast, 80.0, 1).likelihood == Likelihood.BELOW_5
    assert whole(forecast, 80.0, 1).first_at is None
    assert breaches(forecast, [80.0], MONDAY + 2 * HOUR) == ()


def test_each_day_ahead_is_told_beside_all_of_them() -> None:
    found = breaches(with_paths([[50.0] * 24 + [90.0] * 24] * 2), [80.0], MONDAY)
    assert [(each.is_whole, each.likelihood) for each in found] == [
        (True, Likelihood.ABOVE_95),
        (False, Likelihood.BELOW_5),
        (False, Likelihood.ABOVE_95),
    ]


def test_what_is_capped_at_the_maximum_is_at_its_limit_there() -> None:
    forecast = with_paths([[50.0, 120.0]], maximum=120.0)
    assert whole(forecast, 120.0).likelihood == Likelihood.ABOVE_95
    assert whole(forecast, 119.0).likelihood == Likelihood.ABOVE_95
    assert whole(forecast, 121.0).likelihood == Likelihood.BELOW_5
    assert levels_told(forecast) == (100.0, 120.0)


def test_nothing_is_told_from_too_few_windows_or_without_paths() -> None:
    assert breaches(with_paths([[90.0]], blocks=FEWEST - 1), [80.0], MONDAY) == ()
    assert breaches(with_paths([[90.0]], paths=None), [80.0], MONDAY) == ()


def test_probabilities_are_told_in_steps_and_none_is_certain() -> None:
    assert probability(0.0, 21) == pytest.approx(0.5 / 22)
    assert probability(1.0, 21) == pytest.approx(21.5 / 22)
    told = [Likelihood.of(value).value for value in (0.01, 0.06, 0.2, 0.5, 0.7, 0.9, 0.97)]
    assert told == ["< 5 %", "10 %", "25 %", "50 %", "75 %", "90 %", "> 95 %"]
    assert [each.share for each in Likelihood] == [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, None, None, None]


def test_chances_that_have_not_held_are_told_in_words() -> None:
    words = [each.in_words.value for each in Likelihood]
    assert words == ["unlikely", "possible", "possible", "likely", "likely", "likely", "likely", "unlikely", "possible", "likely"]
    forecast = with_paths([[50.0, 90.0], [50.0, 50.0]])
    assert forecast.paths is not None
    lost = replace(forecast, paths=replace(forecast.paths, is_calibrated=False))
    assert (whole(lost, 80.0).likelihood, whole(lost, 95.0).likelihood) == (Likelihood.LIKELY, Likelihood.UNLIKELY)
    [told] = outlooks(lost, lost.paths.rows() if lost.paths else [], MONDAY)
    assert told.borrowing is not None
    assert (told.borrowing.likelihood, told.borrowing.probability) == (Likelihood.UNLIKELY, None)


def test_a_breach_of_the_limit_is_looked_at_where_a_quantile_reaches_it() -> None:
    fan = Quantiles(levels=(0.5, 0.99), values=((50.0, 50.0), (50.0, 99.5)))
    forecast = with_paths([[50.0, 120.0], [50.0, 50.0]], quantiles=fan, maximum=100.0)
    assert may_breach(forecast)
    assert breach_ahead(forecast, MONDAY) == whole(forecast, 100.0)
    assert not may_breach(with_paths([[50.0, 50.0]], quantiles=fan, maximum=120.0))
    no_limit = with_paths([[50.0, 50.0]], quantiles=fan, maximum=None, guaranteed=None)
    assert (may_breach(no_limit), breach_ahead(no_limit, MONDAY)) == (False, None)
    assert not may_breach(with_paths([[120.0, 120.0]], maximum=100.0))
