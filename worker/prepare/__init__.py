"""What is done to a queue's frame before a model sees it: gaps, columns, calendar features, and scaling where a model wants it.

Everything here sees the training part only, so nothing after a backtest's origin leaks into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.errors import EmptySeries
from worker.prepare.calendar import calendar_features, holiday_dates
from worker.prepare.clean import clean
from worker.prepare.gaps import fill_gaps
from worker.prepare.scaling import Scaler

__all__ = ["Prepared", "Scaler", "prepare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A training part of n steps as models want it, and the calendar up to the horizon.

    target: shape (n,), finite. companions: shape (n, k), finite; k may be 0.
    calendar, times: n + horizon rows, see `calendar_features`. holidays: ISO dates among them.
    """

    target: NDArray[np.float64]
    companions: NDArray[np.float64]
    calendar: pd.DataFrame
    times: pd.DatetimeIndex
    holidays: tuple[str, ...]


def prepare(
    frame: pd.DataFrame, *, target: str, horizon: int, step_seconds: int, timezone: str, holidays: str | Sequence[date] | None
) -> Prepared:
    """Fill the gaps, choose the companions, add the calendar.

    Args:
        frame: the training part: regular index (UTC), the target the first column, NaN where nothing was measured. Steps before
            the first value of the target are left out, so n may be smaller than its length.
        horizon: steps to forecast; the calendar reaches that far beyond the frame's end.

    Raises:
        EmptySeries: the target has no value. InvalidRequest: unknown time zone or holidays.
    """
    filled = fill_gaps(frame, step_seconds)
    if filled.empty:
        raise EmptySeries(f"found {len(frame)} steps without a value of {target!r}")
    chosen, _ = clean(filled, target)
    times = pd.date_range(chosen.index[0], periods=len(chosen) + horizon, freq=pd.Timedelta(seconds=step_seconds))
    days = holiday_dates(times, timezone, holidays)
    return Prepared(
        target=chosen[target].to_numpy(dtype=np.float64),
        companions=chosen.drop(columns=target).to_numpy(dtype=np.float64),
        calendar=calendar_features(times, timezone, days),
        times=times,
        holidays=days,
    )
