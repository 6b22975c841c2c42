"""The peak of the next day and of each day ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.domain.distribution import Quantiles
from shared.domain.forecasts import Forecast
from shared.domain.peaks import Peak, daily_peaks, next_peak
from tests.factories import MONDAY, a_forecast

HOUR = timedelta(hours=1)


def waves(*heights: float) -> Forecast:
    """A day of hours for each height, which its ninth hour reaches; bounds are ten away, twelve at the ninth hour."""
    values = [height if hour == 9 else 1.0 for height in heights for hour in range(24)]
    return a_forecast(
        prediction=tuple(values),
        lower_bound=tuple(value - 10 for value in values),
        upper_bound=tuple(value + (12 if value > 1 else 10) for value in values),
    )


def told(peak: Peak) -> tuple[Any, ...]:
    return peak.timestamp, peak.prediction, peak.upper_bound


def test_each_day_has_its_peak_with_the_bounds_of_that_hour() -> None:
    first, second = daily_peaks(waves(50.0, 70.0), MONDAY)
    assert told(first) == (MONDAY + 9 * HOUR, 50.0, 62.0)
    assert told(second) == (MONDAY + 33 * HOUR, 70.0, 82.0)
    assert (second.start_at, second.end_at, second.step) == (MONDAY + 24 * HOUR, MONDAY + 48 * HOUR, 34)


def test_the_next_day_begins_now_and_a_higher_hour_later_is_not_its_peak() -> None:
    assert told(next_peak(waves(50.0, 70.0), MONDAY)) == (MONDAY + 9 * HOUR, 50.0, 62.0)
    assert told(next_peak(waves(50.0, 70.0), MONDAY + 9.5 * HOUR)) == (MONDAY + 9 * HOUR, 50.0, 62.0)
    assert told(next_peak(waves(50.0, 70.0), MONDAY + 10 * HOUR)) == (MONDAY + 33 * HOUR, 70.0, 82.0)


def test_of_a_forecast_that_is_over_the_peaks_are_those_it_told() -> None:
    assert daily_peaks(waves(50.0), MONDAY + 90 * HOUR) == daily_peaks(waves(50.0), MONDAY)


def test_a_flat_line_has_no_hour_and_the_widest_bounds() -> None:
    flat = a_forecast(prediction=(40.0,) * 3, lower_bound=(35.0, 33.0, 30.0), upper_bound=(45.0, 47.0, 50.0))
    peak = next_peak(flat, MONDAY)
    assert (peak.step, peak.timestamp) == (None, None)
    assert (peak.prediction, peak.lower_bound, peak.upper_bound) == (40.0, 30.0, 50.0)


def test_of_equal_steps_the_one_that_may_be_higher_counts_and_one_step_is_not_flat() -> None:
    assert told(next_peak(a_forecast(prediction=(60.0, 50.0, 60.0)), MONDAY)) == (MONDAY + 2 * HOUR, 60.0, 70.0)
    weekly = a_forecast(step_seconds=7 * 86_400)
    assert [peak.step for peak in daily_peaks(weekly, MONDAY)] == [1, 2, 3]


def test_an_hour_that_was_never_measured_is_never_named_as_a_peak() -> None:
    forecast = replace(waves(50.0, 70.0), made_up=(10, 34))
    assert [peak.timestamp for peak in daily_peaks(forecast, MONDAY)] == [None, None]  # what was measured is flat
    peak = next_peak(replace(forecast, made_up=tuple(range(1, 49))), MONDAY)
    assert (peak.step, peak.timestamp) == (None, None)
    assert (peak.prediction, peak.lower_bound, peak.upper_bound) == (50.0, -9.0, 62.0)


def test_the_peak_is_that_of_the_day_as_long_as_its_highest_hour_is_ahead() -> None:
    """A day's maximum is higher than any of its hours by themselves; of its rest only the hours are known."""
    peaks = Quantiles(levels=(0.05, 0.5, 0.95), values=((45.0, 60.0), (55.0, 77.0), (80.0, 99.0)))
    forecast = replace(waves(50.0, 70.0), peaks=peaks)
    first, second = daily_peaks(forecast, MONDAY)
    assert (*told(first), first.lower_bound) == (MONDAY + 9 * HOUR, 55.0, 80.0, 45.0)
    assert (*told(second), second.lower_bound) == (MONDAY + 33 * HOUR, 77.0, 99.0, 60.0)
    assert told(
        next_peak(
            replace(waves(50.0, 10.0), peaks=replace(peaks, values=((45.0, 6.0), (55.0, 13.0), (80.0, 30.0)))), MONDAY + 10 * HOUR
        )
    ) == (
        MONDAY + 33 * HOUR,
        13.0,
        30.0,
    )
    assert next_peak(replace(waves(50.0), peaks=peaks), MONDAY + 10 * HOUR).prediction == 1.0
