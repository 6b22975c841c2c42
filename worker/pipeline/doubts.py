"""What makes doubtful that a series is what it is taken for, or that what was learned of it still holds; in plain words.

counter    ▁▂▃▄▅▆▇█▁▂▃▄▅▆▇█    it only rises, and begins anew
level      ▂▃▂▃▂▃▂▃▇█▇█▇█▇█    every daily mean since lies outside of all before
drift      a column runs where it never was while models learned of it
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd

from shared.domain.identifiers import first_of
from shared.domain.timegrid import MINUTE, SECONDS_PER_DAY
from shared.domain.wording import digits
from worker.models.base import FloatArray
from worker.pipeline.oddities import oddities, other_unit
from worker.pipeline.snapshot import Snapshot

MIN_DAYS_BEFORE, MAX_DAYS_AFTER = 7, 3  # of a change of level: a whole week with its weekend, and what is still news
MIN_CHANGE = 0.1  # relative
MIN_COUNTED_STEPS = 24
MAX_RESETS = 0.02  # share of the steps at which a counter may begin anew
MIN_RISES = 0.5  # share of the steps at which it counts something
MAX_REST = 0.5  # of its value, after a reset
MAX_DRIFTED_NAMED = 3


def doubts(snapshot: Snapshot, learned: pd.DataFrame, shifted: str = "") -> Iterator[str]:
    """What a person should look at before trusting a forecast of a series that varies.

    Args:
        learned: the target and the columns that models learn from, without gaps.
        shifted: what is to be said of a change of level; "" = of none.
    """
    values, step_seconds = snapshot.frame[snapshot.target].dropna(), snapshot.step_seconds
    told = counter(values.to_numpy()) or other_unit(values, step_seconds) or shifted
    if told:
        yield told
    if names := drifted(learned.drop(columns=snapshot.target) if told else learned, step_seconds):
        shown = first_of(names, MAX_DRIFTED_NAMED, say=repr)
        yield f"on the last day {shown} left the range that models have learned from: what they make of it may not hold"
    yield from oddities(values, step_seconds)


def counter(values: FloatArray) -> str | None:
    """What to say of values that add up what happens, instead of telling how much there is; None = they do not."""
    changes = np.diff(values)
    if len(changes) < MIN_COUNTED_STEPS or (changes > 0).mean() < MIN_RISES:
        return None
    falls = np.flatnonzero(changes < 0)
    if len(falls) > MAX_RESETS * len(changes) or (values[falls + 1] > MAX_REST * values[falls]).any():
        return None
    resets = f"but for {len(falls)} time{'s' * (len(falls) != 1)} when they begin anew" if len(falls) else "all the time"
    return f"the values rise {resets}, as a counter does that adds up what happens: forecast what is added in each step instead"


def level_change(snapshot: Snapshot) -> str | None:
    """Since when the level of the last days is another one, in plain words; None when it is not, or there are too few days.

    So it was found on 0.8 % of the days of 14 resource pools, on 0.4 % of 11 groups of machines, and on 5 % of 60 single ones.
    """
    days = _daily_means(snapshot)
    if (count := _days_since_change(days, MAX_DAYS_AFTER)) is None:
        return None
    before, after = days[:-count], days[-count:]
    mean, low, high = (digits(float(each)) for each in (np.nanmean(after), np.nanmin(before), np.nanmax(before)))
    return (
        f"the level has changed: since {_days_before_end(snapshot, count):{MINUTE}} the daily mean is {mean}, "
        f"before it was {low} to {high}; the backtest's scores tell of both levels"
    )


def level_since(snapshot: Snapshot) -> datetime | None:
    """When the present level began, however long ago; None = as far as can be told it has always been this one."""
    days = _daily_means(snapshot)
    count = _days_since_change(days, len(days))
    return None if count is None else _days_before_end(snapshot, count)


def drifted(learned: pd.DataFrame, step_seconds: int) -> list[str]:
    """Which columns have been outside of all that was there before for more than half of the last day."""
    per_day = SECONDS_PER_DAY // step_seconds
    if per_day < 1 or len(learned) < (MIN_DAYS_BEFORE + 1) * per_day:
        return []
    values = learned.to_numpy(dtype=np.float64)
    before, last = values[:-per_day], values[-per_day:]
    high, low = np.fmax.reduce(before, axis=0), np.fmin.reduce(before, axis=0)
    margin = MIN_CHANGE * np.where(high > low, high - low, np.abs(high))
    outside = ((last > high + margin) | (last < low - margin)).mean(axis=0)
    return [name for name, share in zip(learned.columns, outside.tolist(), strict=True) if share > 0.5]


def _daily_means(snapshot: Snapshot) -> FloatArray:
    """Of the last whole days, NaN for one without a value; empty where a step is no part of a day."""
    per_day = SECONDS_PER_DAY // snapshot.step_seconds
    values = snapshot.frame[snapshot.target].to_numpy(dtype=np.float64)
    if per_day < 2:
        return np.empty(0)
    days = values[len(values) % per_day :].reshape(-1, per_day)
    known = np.isfinite(days)
    counts = known.sum(axis=1)
    means: FloatArray = np.where(counts > 0, np.where(known, days, 0.0).sum(axis=1) / np.maximum(counts, 1), np.nan)
    return means


def _days_since_change(means: FloatArray, most: int) -> int | None:
    """For how many days, `most` at most, every daily mean lies outside the range of all before by more than that range."""
    for count in range(1, min(most, len(means) - MIN_DAYS_BEFORE) + 1):
        before, after = means[:-count], means[-count:]
        low, high = np.fmin.reduce(before), np.fmax.reduce(before)
        margin = max(high - low, MIN_CHANGE * high)
        if np.fmin.reduce(after) > high + margin or np.fmax.reduce(after) < low - margin:
            return count
    return None


def _days_before_end(snapshot: Snapshot, days: int) -> datetime:
    per_day = SECONDS_PER_DAY // snapshot.step_seconds
    return snapshot.grid.step_start(snapshot.end_at, 1 - days * per_day)
