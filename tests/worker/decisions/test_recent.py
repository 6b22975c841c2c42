"""The last days of a queue, as decisions count them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from shared.domain.reports import Point
from tests.factories import a_forecast
from worker.decisions.recent import known_until, last_week


def test_the_last_week_is_the_same_hours_of_days_that_are_over() -> None:
    hours = np.arange(24.0 * 10)
    week = last_week(hours, 24, 24)
    assert week.shape == (7, 24)
    assert (week[0, 0], week[-1, 0]) == (24 * 9, 24 * 3)
    assert last_week(hours, 48, 24)[:, 0].tolist() == [24.0 * day for day in (8, 7, 6, 5, 4, 3, 2)]
    assert last_week(hours, 12, 24, ahead=6)[0, 0] == 24 * 9 + 6
    hours[24 * 8 + 3] = np.nan
    assert len(last_week(hours, 24, 24)) == 6
    assert last_week(hours[:20], 24, 24).shape == (0, 24)


def test_values_are_known_until_the_first_step_ahead() -> None:
    forecast = a_forecast()
    at = [forecast.issued_at + timedelta(hours=hour) for hour in (-4, -3, -1, 0, 1)]
    points = [Point(timestamp=moment, value=None if hour == 1 else float(hour)) for hour, moment in enumerate(at)]
    until = [known_until(forecast, points, forecast.issued_at + timedelta(hours=hours)) for hours in (0, 1)]
    assert [[None if np.isnan(value) else value for value in values] for values in until] == [
        [0.0, None, None, 2.0],
        [0.0, None, None, 2.0, 3.0],
    ]
    assert known_until(forecast, (), forecast.issued_at).size == 0
    assert known_until(forecast, points[3:], forecast.issued_at).size == 0
