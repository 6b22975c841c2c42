"""Steps of UTC as the clock on the wall counts them, and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from shared.errors import InvalidRequest
from worker.prepare.wall_clock import WallClock, wall_clock

BERLIN = "Europe/Berlin"


def a_clock(start: str, periods: int, timezone: str = BERLIN, *, freq: str = "1h") -> WallClock:
    step = pd.Timedelta(freq)
    return wall_clock(pd.date_range(start, periods=periods, freq=step, tz="UTC"), timezone, int(step.total_seconds()))


def on_the_wall(clock: WallClock, values: list[float], start: str) -> list[float]:
    frame = pd.DataFrame(
        {"y": np.array(values, dtype=float)}, index=pd.date_range(start, periods=len(values), freq="1h", tz="UTC")
    )
    return clock.on_the_wall(frame)["y"].tolist()


def test_an_hour_that_summer_time_skips_is_a_step_on_the_wall_all_the_same() -> None:
    clock = a_clock("2026-03-29T00:00", 4)
    assert [reading.hour for reading in clock.times] == [1, 2, 3, 4, 5]
    assert clock.places.tolist() == [0, 2, 3, 4]
    assert on_the_wall(clock, [10, 30, 40], "2026-03-29T00:00") == [10, 20, 30, 40]  # within the first day a line


def test_it_has_the_value_of_the_day_before_where_there_is_one() -> None:
    values = list(range(30))
    seen = on_the_wall(a_clock("2026-03-28T00:00", 30), values, "2026-03-28T00:00")
    assert seen[24:27] == [24, 1, 25]  # one o'clock, two o'clock of the day before, three o'clock


def test_an_hour_that_comes_twice_is_one_step_on_the_wall() -> None:
    clock = a_clock("2026-10-24T23:00", 4)
    assert [reading.hour for reading in clock.times] == [1, 2, 3]
    assert clock.places.tolist() == [0, 1, 1, 2]
    assert on_the_wall(clock, [10, 20, 30, 40], "2026-10-24T23:00") == [10, 25, 40]
    assert on_the_wall(clock, [10, np.nan, 30, 40], "2026-10-24T23:00") == [10, 30, 40]
    assert on_the_wall(clock, [10, 20], "2026-10-24T23:00") == [10, 20]  # its first run alone


@pytest.mark.parametrize(
    ("timezone", "freq"),
    [("UTC", "1h"), ("Asia/Kolkata", "1h"), (BERLIN, "2h"), (BERLIN, "7h"), (BERLIN, "1D"), ("Australia/Lord_Howe", "1h")],
)
def test_where_no_change_is_a_multiple_of_the_step_the_steps_stay_as_they_are(timezone: str, freq: str) -> None:
    clock = a_clock("2026-01-01T00:00", 10_000 if freq == "1h" else 300, timezone, freq=freq)
    assert clock.places.tolist() == list(range(len(clock.places)))
    assert len(clock.times) == len(clock.places)


def test_nine_o_clock_stays_nine_o_clock_all_year_in_every_zone() -> None:
    for timezone in (BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia", "America/Santiago"):
        times = pd.date_range("2026-01-01", periods=365 * 48, freq="30min", tz="UTC")
        clock = wall_clock(times, timezone, 1_800)
        assert (clock.times[clock.places] == times.tz_convert(timezone).tz_localize(None)).all()
        assert set(np.diff(clock.times.asi8).tolist()) == {1_800 * 10**9}


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", ""])
def test_an_unknown_time_zone_is_refused_with_what_is_accepted(name: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"field timezone\): found '{name}', accepted is an IANA name"):
        a_clock("2026-01-01", 3, name)
