"""Issued forecasts against what happened: by hand, and by the measures of the backtest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import add
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from shared.domain.accuracy import ErrorSums, by_group
from shared.domain.codec import from_json, to_json
from shared.domain.forecasts import Forecast
from shared.domain.occasions import Excluded
from shared.domain.reports import Point
from shared.domain.timegrid import to_epoch
from tests.factories import MONDAY, a_forecast
from worker.pipeline.accuracy import Actuals, actuals_of, score_forecast
from worker.pipeline.measures import mape, wape

HOUR = timedelta(hours=1)


def hours(first: int, values: list[float | None]) -> Actuals:
    """A series that begins `first` hours after Monday's midnight."""
    points = [Point(timestamp=MONDAY + (first + n) * HOUR, value=value) for n, value in enumerate(values)]
    return actuals_of(points)


def test_a_forecast_is_scored_by_hand() -> None:
    [record] = score_forecast(a_forecast(), hours(0, [45.0, 80.0, 0.0]))
    sums = record.sums
    assert (sums.steps, sums.error, sums.size, sums.surplus) == (3, 5 + 20 + 55, 125.0, 5 - 20 + 55)
    assert (sums.relative_steps, sums.covered_steps, record.is_final) == (2, 1, True)
    assert sums.mape == pytest.approx((100 * 5 / 45 + 100 * 20 / 80) / 2)
    assert (sums.wape, sums.bias, sums.coverage) == (pytest.approx(64.0), pytest.approx(40 / 3), pytest.approx(100 / 3))


def test_it_agrees_with_the_measures_of_the_backtest() -> None:
    chance = np.random.default_rng(7)
    actual, prediction = chance.uniform(0, 90, 24), chance.uniform(0, 90, 24)
    actual[3] = 0.0
    arrays = dict.fromkeys(("lower_bound", "upper_bound"), tuple(prediction))
    records = score_forecast(a_forecast(prediction=tuple(prediction), **arrays), hours(0, list(actual)))
    total = records[0].sums + records[1].sums
    assert total.mape == pytest.approx(mape(actual, prediction))
    assert total.wape == pytest.approx(wape(actual, prediction))


def test_a_step_without_an_actual_value_is_not_scored_and_a_gap_stays_one() -> None:
    [record] = score_forecast(a_forecast(), hours(0, [50.0, None, 55.0]))
    assert (record.sums.steps, record.is_final) == (2, True)
    [record] = score_forecast(a_forecast(), hours(0, [50.0]))
    assert (record.sums.steps, record.is_final) == (1, False)


def test_a_forecast_of_which_nothing_has_happened_has_no_record() -> None:
    assert score_forecast(a_forecast(), hours(-9, [50.0] * 9)) == []


def test_the_seasonal_naive_is_the_day_before_the_issue() -> None:
    yesterday: list[float | None] = [float(hour) for hour in range(24)]
    [record] = score_forecast(a_forecast(), hours(-24, [*yesterday, 10.0, 10.0, 10.0]))
    assert (record.sums.compared_steps, record.sums.naive_error) == (3, 10 + 9 + 8)
    assert record.sums.skill == pytest.approx(1 - (40 + 50 + 45) / 27)


@pytest.mark.parametrize(
    ("timezone", "issued_at"),
    [
        ("Europe/Berlin", "2026-10-24T00:00Z"),
        ("Europe/Berlin", "2026-03-28T00:00Z"),
        ("America/New_York", "2026-10-31T12:00Z"),
        ("Asia/Kolkata", "2026-10-24T00:00Z"),
    ],
)
@pytest.mark.parametrize("minutes", [15, 60])
def test_the_day_before_is_one_of_the_zone_of_the_request(timezone: str, issued_at: str, minutes: int) -> None:
    """A load that follows the clock on the wall is as the day before where clocks are changed, too."""
    issued, steps = datetime.fromisoformat(issued_at), 60 // minutes
    starts = [issued + timedelta(minutes=minutes) * step for step in range(-2 * 24 * steps, 3 * 24 * steps)]
    walls = [start.astimezone(ZoneInfo(timezone)) for start in starts]
    actuals = {to_epoch(start): 60.0 * wall.hour + wall.minute for start, wall in zip(starts, walls, strict=True)}
    arrays = dict.fromkeys(("prediction", "lower_bound", "upper_bound"), (0.0,) * (3 * 24 * steps))
    forecast = a_forecast(issued_at=issued, step_seconds=60 * minutes, timezone=timezone, **arrays)
    sums = reduce(add, (record.sums for record in score_forecast(forecast, actuals)))
    assert (sums.compared_steps, sums.steps) == (72 * steps, 72 * steps)
    assert sums.naive_error == 0


def test_a_day_of_the_zone_is_compared_with_the_one_before() -> None:
    starts = [datetime(2026, 3, day, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC) for day in (26, 27, 28, 29, 30, 31)]
    actuals = {to_epoch(start): 10.0 * place for place, start in enumerate(starts)}
    issued = a_forecast(issued_at=starts[3], step_seconds=86_400, timezone="Europe/Berlin", day_starts=tuple(starts[3:]))
    forecast = from_json(Forecast, to_json(issued))  # as it is when it is scored
    sums = reduce(add, (record.sums for record in score_forecast(forecast, actuals)))
    assert (sums.compared_steps, sums.naive_error) == (3, 10 + 20 + 30)


def test_times_known_to_be_bad_are_neither_scored_nor_a_day_before() -> None:
    bad = [
        Excluded(name="outage", start=MONDAY - 24 * HOUR, end=MONDAY - 23.5 * HOUR),
        Excluded(name="work", start=MONDAY + 1.5 * HOUR, end=MONDAY + 3 * HOUR),
    ]
    [record] = score_forecast(a_forecast(), hours(-24, [0.0] * 24 + [45.0, 0.0, 0.0]), bad)
    assert (record.sums.steps, record.sums.compared_steps, record.is_final) == (1, 0, True)


def test_records_of_groups_that_were_counted_in_steps_count_where_they_begin() -> None:
    """Of half hours: until now the second group began after 3.5 hours."""
    old = {first: ErrorSums(steps=1) for first in (1, 7, 25, 49, 73)}
    assert [(first, last, sums.steps) for first, last, sums in by_group(old, 1_800)] == [(1, 12, 2), (13, 48, 1), (49, 96, 2)]


def test_what_is_not_defined_is_none() -> None:
    nothing = ErrorSums()
    assert {nothing.mape, nothing.wape, nothing.bias, nothing.coverage, nothing.naive_wape, nothing.skill} == {None}


def test_a_series_without_any_value_is_none() -> None:
    assert not actuals_of([])
    assert not actuals_of([Point(timestamp=MONDAY, value=None)])
