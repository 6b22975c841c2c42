"""The actual values in what was read of a queue, as its snapshot has them: what is kept of a series."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from shared.domain.jobs import JobRequest
from shared.domain.reports import Point
from shared.domain.timegrid import MINUTE
from shared.errors import EmptySeries
from worker.pipeline.lost import check_losses
from worker.pipeline.saturation import as_demand
from worker.pipeline.snapshot import Snapshot
from worker.pipeline.wholeness import whole_steps
from worker.prepare.digits import rounded
from worker.sources.base import Reading


def actual_points(request: JobRequest, reading: Reading, *, queue: str, issued_at: datetime) -> list[Point]:
    """Of each whole step up to `issued_at` that has a value.

    Raises:
        EmptySeries: none has. DataLost: too much was lost, and the request does not accept it.
    """
    check_losses(request, reading, queue)
    reading = whole_steps(as_demand(request, reading).reading, request.target, grid=request.grid, aggregation=request.aggregation)
    known = reading.frame.loc[reading.frame.index < issued_at, request.target].dropna()
    if known.empty:
        raise EmptySeries(f"found no value of {request.target!r} before {issued_at:{MINUTE}}", queue=queue)
    return _points(pd.Series(rounded(known.to_numpy(dtype=np.float64)), index=known.index))


def snapshot_points(snapshot: Snapshot) -> list[Point]:
    """Those of a series that is forecast."""
    return _points(snapshot.frame[snapshot.target].dropna())


def _points(known: pd.Series[float]) -> list[Point]:
    times = known.index.to_pydatetime()  # type: ignore[attr-defined]
    return [Point(timestamp=time, value=value) for time, value in zip(times, known.tolist(), strict=True)]
