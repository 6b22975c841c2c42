"""How far off a queue's forecasts usually are, told in its own unit."""

from __future__ import annotations

import pytest

from api.dashboard.off_by import MIN_STEPS, off_by
from shared.domain.accuracy import ErrorSums
from shared.domain.units import Unit
from tests.factories import a_forecast


def test_what_has_come_counts_and_before_that_the_backtest() -> None:
    forecast = a_forecast(prediction=(0.4, 0.6), lower_bound=(0.3, 0.5), upper_bound=(0.5, 0.7), unit=Unit.FRACTION, wape=12.0)
    tried = off_by(forecast, ErrorSums(steps=MIN_STEPS - 1, error=100.0))
    assert tried is not None
    assert (tried.value, tried.words, tried.basis) == (pytest.approx(0.06), "6.0\u202fpoints", "when tried on its past")
    came = off_by(forecast, ErrorSums(steps=48, error=4.8))
    assert came is not None
    assert (came.words, came.basis) == ("10\u202fpoints", "on 48 steps of the last 30 days")


@pytest.mark.parametrize(("unit", "words"), [(Unit.MEGABYTES, "6.0\u202fMB"), (None, "6.0"), (Unit.PERCENT, "6.0\u202fpoints")])
def test_it_is_told_in_the_unit_of_the_queue(unit: Unit | None, words: str) -> None:
    forecast = a_forecast(prediction=(40.0, 60.0), lower_bound=(30.0, 50.0), upper_bound=(50.0, 70.0), unit=unit, wape=12.0)
    found = off_by(forecast, None)
    assert (found and found.words) == words


def test_of_what_is_idle_nothing_absurd_is_told() -> None:
    idle = a_forecast(
        prediction=(0.0, 0.0), lower_bound=(0.0, 0.0), upper_bound=(0.0, 0.0), unit=Unit.FRACTION, wape=None, mape=315.0
    )
    assert off_by(idle, None) is None
    found = off_by(idle, ErrorSums(steps=720, error=0.72, relative_steps=2, relative_error=630.0))
    assert (found and found.words) == "0.1\u202fpoints"
