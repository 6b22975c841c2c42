"""What a forecast claims of its first day is what its outlook tells of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.claims import claims_of
from shared.domain.distribution import Paths
from shared.domain.forecasts import Forecast
from shared.domain.likelihood import About, Likelihood
from shared.domain.outlook import breaches
from tests.factories import MONDAY, a_forecast


def of_two_days(**changes: object) -> Forecast:
    """Each path is a little higher than the one before; on the second day all are far above any limit."""
    rows = [[50.0 + n + hour / 2 for hour in range(24)] + [500.0] * 24 for n in range(64)]
    flat = dict.fromkeys(("prediction", "lower_bound", "upper_bound"), (80.0,) * 48)
    return a_forecast(**({**flat, "paths": Paths.of(rows, blocks=14, windows=7)} | changes))


@pytest.mark.parametrize("maximum", [None, 120.0])
def test_claims_are_the_chances_and_hours_of_the_first_day(maximum: float | None) -> None:
    forecast = of_two_days(maximum=maximum)
    limit = maximum or 100.0
    levels = {About.PART_OF_LIMIT: 0.8 * limit, About.LIMIT: limit} | ({About.GUARANTEED: 100.0} if maximum else {})
    claims = {claim.about: claim for claim in claims_of(forecast)}
    assert claims.keys() == levels.keys()
    for about, level in levels.items():
        _whole, first_day, _second = breaches(forecast, [level], MONDAY)
        assert claims[about].hours == pytest.approx(first_day.hours)
        assert Likelihood.of(claims[about].probability) == first_day.likelihood
    assert 0.2 < claims[About.PART_OF_LIMIT].probability < 0.8


def test_nothing_is_claimed_where_chances_are_not_told() -> None:
    forecast = of_two_days()
    assert claims_of(replace(forecast, guaranteed=None)) == ()
    assert claims_of(replace(forecast, paths=None)) == ()
    assert claims_of(replace(forecast, paths=Paths.of([[1.0] * 48], blocks=6, windows=7))) == ()
