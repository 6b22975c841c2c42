"""The last days of a queue, as decisions count them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from shared.domain.distribution import Paths
from shared.domain.reports import Point
from tests.factories import a_forecast
from worker.decisions.question import Question
from worker.decisions.recent import day_name, known_until, last_week
from worker.decisions.terms import NOTHING_ELSE, Terms


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


def test_days_as_they_were_are_named_by_when_they_began_and_nothing_later_is_read() -> None:
    forecast = a_forecast()
    steps = forecast.horizon_steps
    forecast = replace(forecast, paths=Paths.of([[1.0] * steps] * 3, blocks=3, windows=0, drawn_from=["a", "b", "c"]))
    now, terms = forecast.issued_at + timedelta(minutes=65), Terms()
    back = [forecast.issued_at + hour * timedelta(hours=1) for hour in range(-24 * 9, steps)]
    points = [Point(timestamp=at, value=float(hour)) for hour, at in enumerate(back)]
    poisoned = [replace(point, value=1e12) if point.timestamp >= forecast.start_of(2) else point for point in points]
    known = [
        Question.of(forecast, 1.0, terms, NOTHING_ELSE, now, past=known_until(forecast, each, now)) for each in (points, poisoned)
    ]
    assert (known[0].demand.values == known[1].demand.values).all()
    by_day = dict(zip(known[0].days, known[0].demand.values[3:, 0].tolist(), strict=True))
    hours_of = {day_name(at): float(hour) for hour, at in enumerate(back)}
    assert by_day == {name: hours_of[name] for name in by_day}
    assert known[0].starts[0] == forecast.start_of(2)
    assert (len(by_day), max(by_day)) == (7, day_name(forecast.start_of(2) - timedelta(days=1)))
    kept = known[0].on_days(known[0].days[:2])
    assert (len(kept.days), kept.demand.values.shape[0]) == (2, 5)
    assert kept.demand.mass[:3].sum() == 1.0
