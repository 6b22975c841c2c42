"""Hours of the day at which nothing was measured are known to be made up."""

from __future__ import annotations

import numpy as np

from tests.factories import a_load
from tests.worker.pipeline.factories import a_snapshot
from worker.pipeline.unmeasured import unmeasured_steps


def test_the_hours_of_a_collector_that_sleeps_each_night_are_made_up() -> None:
    load = a_load()
    load[load.index.hour < 3] = np.nan
    assert unmeasured_steps(a_snapshot(load), 48) == (1, 2, 3, 25, 26, 27)
    load.iloc[-47] = 50.0  # measured once, at one o'clock: what was filled from it since then changes nothing
    assert unmeasured_steps(a_snapshot(load), 48) == (1, 3, 25, 27)


def test_of_less_than_two_days_and_with_steps_of_odd_length_nobody_knows() -> None:
    late = a_load(60)
    late.iloc[-20:] = np.nan
    assert unmeasured_steps(a_snapshot(late), 24) == ()
    assert unmeasured_steps(a_snapshot(a_load(40)), 24) == ()
    assert unmeasured_steps(a_snapshot(a_load(14 * 24, step_seconds=25_200), step_seconds=25_200), 24) == ()
