"""A sparkline's paths: short, in the frame, with gaps as gaps."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from api.dashboard.sparkline import HEIGHT, WIDTH, Sparkline, level_in_sight, sparkline
from shared.domain.forecasts import Forecast
from shared.domain.reports import Point
from tests.factories import MEMORY, MONDAY, a_forecast

HOUR = timedelta(hours=1)


def drawn(values: list[float | None], forecast: Forecast | None = None) -> Sparkline:
    """The values before a forecast of three steps, hour by hour."""
    start = MONDAY - len(values) * HOUR
    points = [Point(timestamp=start + n * HOUR, value=value) for n, value in enumerate(values)]
    return sparkline(forecast or a_forecast(), points, start)


def spots(path: str) -> list[tuple[int, int]]:
    """Where a path goes through, from its relative moves."""
    found: list[tuple[int, int]] = []
    for part in re.findall(r"M[^M]+", path.rstrip("z")):
        first, _, rest = part[1:].partition("l")
        x, y = map(int, first.split())
        found.append((x, y))
        moves = list(map(int, rest.split()))
        for dx, dy in zip(moves[::2], moves[1::2], strict=True):
            x, y = x + dx, y + dy
            found.append((x, y))
    return found


def test_the_forecast_begins_where_the_actual_values_end() -> None:
    line = drawn([10.0, 50.0, 90.0])
    assert spots(line.prediction)[0] == spots(line.actual)[-1]
    assert line.issued_x == WIDTH / 2
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for path in (line.actual, line.prediction, line.band) for x, y in spots(path))


def test_a_gap_is_drawn_as_a_gap() -> None:
    assert drawn([10.0, 20.0, None, 40.0, 50.0]).actual.count("M") == 2
    assert drawn([10.0, 20.0, 30.0, 40.0, 50.0]).actual.count("M") == 1


def test_a_long_series_keeps_its_peaks_and_stays_short() -> None:
    values = [1.0] * 5_000
    values[3_333] = 99.0
    many = a_forecast(prediction=(50.0,) * 5_000, lower_bound=(40.0,) * 5_000, upper_bound=(60.0,) * 4_999 + (99.0,))
    line = drawn(list(values), many)
    assert max(len(path) for path in (line.actual, line.prediction, line.band)) < 1_500
    highest = min(y for _, y in spots(line.actual))
    assert highest < 5


def test_the_limit_is_drawn_where_one_is_known_and_values_can_be_told_apart_below_it() -> None:
    assert drawn([10.0]).level_y is not None
    assert drawn([10.0], a_forecast(**MEMORY)).level_y is None
    assert level_in_sight(a_forecast(maximum=140.0), 75.0) == 140.0
    assert level_in_sight(a_forecast(maximum=500.0), 75.0) == 100.0
    assert level_in_sight(a_forecast(maximum=500.0), 400.0) == 500.0


def test_without_actual_values_there_is_still_a_forecast() -> None:
    line = drawn([None, None])
    assert (line.actual, len(spots(line.prediction))) == ("", 3)


def test_a_queue_that_is_always_idle_is_a_line_at_the_bottom() -> None:
    idle = a_forecast(**MEMORY, **dict.fromkeys(("prediction", "lower_bound", "upper_bound"), (0.0, 0.0, 0.0)))
    assert {y for _, y in spots(drawn([0.0, 0.0], idle).prediction)} == {HEIGHT}


def test_a_day_on_which_clocks_change_is_as_long_as_it_is() -> None:
    midnight = datetime(2026, 3, 28, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    days = a_forecast(issued_at=midnight, step_seconds=86_400, timezone="Europe/Berlin")
    for forecast in (days, replace(days, day_starts=tuple(days.timestamps))):
        line = sparkline(forecast, [], midnight)
        assert [x for x, _ in spots(line.prediction)] == [0, round(24 * WIDTH / 71), round(47 * WIDTH / 71)]
