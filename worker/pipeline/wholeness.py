"""Whether the last step has all its samples: told by the newest of them, since the clock knows nothing of data that are late.

samples   ·····│·····│·····│···            the newest is of 09:30, and five come each hour
steps     07:00 08:00 09:00 10:00          09:00 has not all of its own yet: it would look like a change in load
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shared.domain.samples import Aggregation
from shared.domain.timegrid import MINUTE, TimeGrid
from worker.sources.base import Reading

MISSED_SAMPLES = 1.5  # the next one may be so many usual distances away
MISSED_SHARE = 0.1  # of a step, or so much of it


def whole_steps(reading: Reading, target: str, *, grid: TimeGrid, aggregation: Aggregation) -> Reading:
    """The reading without its last step, where more samples of that are to come, and with a note on it."""
    known = np.flatnonzero(np.isfinite(reading.frame[target].to_numpy(dtype=np.float64)))
    if (
        reading.newest_at is None or not len(known) or aggregation is Aggregation.TIME_WEIGHTED_MEAN
    ):  # a value holds until it changes
        return reading
    last_at = reading.frame.index[known[-1]].to_pydatetime()
    end_at = grid.step_start(last_at, 2)
    step = end_at - last_at
    distance = step * len(known) / max(1, reading.rows - reading.duplicates - reading.non_finite)
    if end_at - reading.newest_at <= max(MISSED_SAMPLES * distance, MISSED_SHARE * step):
        return reading
    note = (
        f"the step of {last_at:{MINUTE}} is left out: its newest sample is of {reading.newest_at:{MINUTE}}, so more are to come"
    )
    advice = "; `ingestion_delay` says how late samples are"
    return replace(reading, frame=reading.frame.iloc[: known[-1]], notes=(*reading.notes, note + advice))
