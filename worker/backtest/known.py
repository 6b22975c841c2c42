"""What was measured of a queue around the cutoffs of a replay, for whoever judges more than its forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from shared.domain.jobs import JobRequest
from worker.models.base import FloatArray
from worker.prepare.occasions import excluded_steps

BEFORE = timedelta(days=28)  # the first cutoff


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Values of every step from `start_at` on, NaN = not known, or known to be bad."""

    start_at: datetime
    values: FloatArray


def known_of(request: JobRequest, values: pd.Series[float], cutoffs: Sequence[datetime]) -> Known:
    """From four weeks before the first cutoff on, or from where the values begin."""
    first_at, last_at = (values.index[place].to_pydatetime() for place in (0, -1))
    start_at = request.grid.bucket_start(max(first_at, cutoffs[0] - BEFORE))
    times = pd.DatetimeIndex(request.grid.step_starts(start_at, request.grid.steps_between(start_at, last_at) + 1))
    found = np.asarray(values.reindex(times), dtype=np.float64)
    return Known(start_at=start_at, values=np.where(excluded_steps(times, request.grid, request.exclude), np.nan, found))
