"""What a queue's owner sees first of a forecast."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.reports import outlook
from tests.factories import MEMORY, MONDAY, a_forecast

HOUR = timedelta(hours=1)


def test_an_outlook_has_the_next_peak_and_what_is_exceeded() -> None:
    high = {"prediction": (100.0, 101.0, 90.0), "lower_bound": (80.0, 90.0, 70.0), "upper_bound": (100.0, 130.0, 100.5)}
    shown = outlook(a_forecast(**high, maximum=130.0), MONDAY)
    assert (shown.issued_at, shown.horizon_steps, shown.model, shown.mape) == (MONDAY, 3, "seasonal_naive", 7.5)
    assert (shown.peak_at, shown.peak_lower_bound, shown.peak, shown.peak_upper_bound) == (MONDAY + HOUR, 90.0, 101.0, 130.0)
    assert (shown.unit, shown.guaranteed, shown.maximum, shown.limit) == ("percent", 100.0, 130.0, 130.0)
    assert (shown.above_100_at, shown.likely_above_100, shown.possible_above_100) == (MONDAY + HOUR, 1, 1)
    assert (shown.over_limit_at, shown.likely_over_limit, shown.possible_over_limit) == (MONDAY + HOUR, 0, 1)
    assert (shown.beyond_share_at, shown.likely_beyond_share, shown.possible_beyond_share) == (MONDAY + HOUR, 1, 1)


def test_an_outlook_counts_nothing_where_no_limit_is_known() -> None:
    shown = outlook(a_forecast(**MEMORY), MONDAY)
    assert (shown.limit, shown.over_limit_at, shown.likely_over_limit, shown.likely_above_100) == (None, None, None, None)
