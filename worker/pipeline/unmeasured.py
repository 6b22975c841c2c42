"""Which steps of a forecast nobody has measured anything like: a collector that sleeps each night knows no night."""

from __future__ import annotations

import numpy as np

from shared.domain.forecasts import ForecastSpec
from shared.domain.timegrid import SECONDS_PER_DAY
from worker.pipeline.snapshot import Snapshot
from worker.prepare.step_times import step_times
from worker.prepare.wall_clock import wall_clock

MIN_DAYS, DAYS = 2, 7  # of history that is needed to know, and that is looked at


def unmeasured_steps(snapshot: Snapshot, spec: ForecastSpec) -> tuple[int, ...]:
    """The steps (1, 2, …) at hours of the day at which no value was measured in the last week: a forecast there is made up."""
    if SECONDS_PER_DAY % snapshot.step_seconds:
        return ()
    per_day = SECONDS_PER_DAY // snapshot.step_seconds
    known = snapshot.frame[snapshot.target].notna().to_numpy()[-DAYS * per_day :]
    if per_day < MIN_DAYS or len(known) < MIN_DAYS * per_day or known.all():
        return ()
    start_at = snapshot.frame.index[-len(known)].to_pydatetime()
    times = step_times(snapshot.grid, start_at, len(known) + spec.horizon_steps)
    hours = wall_clock(times, spec.timezone, snapshot.step_seconds).places % per_day
    ahead = ~np.isin(hours[len(known) :], hours[: len(known)][known])
    return tuple((np.flatnonzero(ahead) + 1).tolist())
