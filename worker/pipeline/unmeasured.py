"""Which steps of a forecast nobody has measured anything like: a collector that sleeps each night knows no night."""

from __future__ import annotations

import numpy as np

from shared.domain.timegrid import SECONDS_PER_DAY
from worker.pipeline.snapshot import Snapshot

MIN_DAYS, DAYS = 2, 7  # of history that is needed to know, and that is looked at


def unmeasured_steps(snapshot: Snapshot, horizon_steps: int) -> tuple[int, ...]:
    """The steps (1, 2, …) at hours of the day at which no value was measured in the last week: a forecast there is made up."""
    if SECONDS_PER_DAY % snapshot.step_seconds:
        return ()
    per_day = SECONDS_PER_DAY // snapshot.step_seconds
    known = snapshot.frame[snapshot.target].notna().to_numpy()[-DAYS * per_day :]
    if per_day < MIN_DAYS or len(known) < MIN_DAYS * per_day:
        return ()
    hours = (np.arange(len(known)) - len(known)) % per_day  # counted from the issue time
    measured = set(hours[known].tolist())
    return tuple(step for step in range(1, horizon_steps + 1) if (step - 1) % per_day not in measured)
