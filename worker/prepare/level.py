"""A level that changed in the last days: found, told, and taken out of what models learn from.

    history      ▂▃▂▃▂▃▂▃▂▃▂▃▇█▇█        since two days every value lies above what its hour of the day lets expect
    models see   ▇█▇█▇█▇█▇█▇█▇█▇█        the past at the present level, so that seasons stay and forecasts join it

What came before is moved by a sum or by a factor, whichever tells the new level better; by a factor of zero where the new level
is one value: what was switched off, or restarted, goes on as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.timegrid import SECONDS_PER_DAY

FloatArray = NDArray[np.float64]

# So it was found on the checking half of tests/bench/forecast.py on none of the days of resource pools, on 0–0.7 % of groups of
# machines, 0.5–2 % of M4-Hourly and 2–6 % of single machines, with 14 and 5 days of history. Moved, it told the day after
# better: the median of each hour of a week missed by 0.4 and 0.6 of what it did on M4-Hourly, by 0.5 and 0.3 on single machines.
MIN_DAYS_BEFORE, MAX_DAYS_BEFORE, MAX_DAYS_AFTER = 2, 14, 3
MIN_AFTER = 1 / 3  # of a day: shorter is a burst
MIN_CHANGE = 0.1  # of the level before
MIN_OUTSIDE = 0.9  # of the steps since, beyond what the hours before let expect
BEYOND = 0.95  # of the misses before
PART = 0.25  # of the change, that a step must show to belong to it
MIN_TIMES = 1.5  # as large as what any stretch of like length missed by on average before
WEEKEND_HOURS = 6  # so close to the beginning or the end of a weekend a fall or a rise is its own, where none before tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A change of level: a value before it, now, would be `factor × value + sum`."""

    first: int  # step of the new level
    factor: float
    sum: float
    before: float  # medians
    after: float

    def moved(self, values: FloatArray) -> FloatArray:
        """The values with those before the change at the present level."""
        moved = values.copy()
        moved[: self.first] = self.factor * moved[: self.first] + self.sum
        return moved


def find_shift(values: FloatArray, times: pd.DatetimeIndex, step_seconds: int) -> Shift | None:
    """The change of level in the last days; None = none that stands out.

    Args:
        values: shape (n,), finite, regular.
        times: starts of the steps on the wall clock.
    """
    per_day, rest = divmod(SECONDS_PER_DAY, step_seconds)
    least = max(2, round(MIN_AFTER * per_day))
    if rest or per_day < 4 or len(values) < MIN_DAYS_BEFORE * per_day + least:
        return None
    searched = min(MAX_DAYS_AFTER * per_day, len(values) - MIN_DAYS_BEFORE * per_day)
    first = _change(values, per_day, searched, least)
    if first is None:
        return None
    start = max(0, first - MAX_DAYS_BEFORE * per_day)
    expected, missed = _usual(values[start:first], per_day, len(values) - first)
    after = values[first:]
    is_fall = bool(np.median(after - expected) < 0)
    if _is_weekend_s(times, first, per_day, is_fall=is_fall) or not _stands_out(after - expected, expected, missed, per_day):
        return None
    return _told(after, expected, first)


def _change(values: FloatArray, per_day: int, searched: int, least: int) -> int | None:
    """Where, among the last steps, a step in the departures from the hours before explains most."""
    origin = len(values) - searched
    start = max(0, origin - MAX_DAYS_BEFORE * per_day)
    usual, missed = _usual(values[start:origin], per_day, searched)
    departures = values[origin:] - usual
    sums = np.cumsum(departures[::-1])[::-1]  # of all steps from here on
    counts = np.arange(searched, 0, -1)
    explained = np.where(counts >= least, sums**2 / counts, 0.0)  # what a step from zero takes off the squares
    best = int(np.argmax(explained))
    if explained[best] <= 0:
        return None
    change = float(departures[best:].mean())
    least_change = max(float(np.quantile(np.abs(missed), BEYOND)), PART * abs(change))
    return origin + _extended(np.sign(change) * departures > least_change, best, max(1, per_day // 8))


def _extended(belongs: NDArray[np.bool_], first: int, reach: int) -> int:
    """The first of the steps before that belong to it too: where values are small by night, a factor shows less."""
    while (near := np.flatnonzero(belongs[max(0, first - reach) : first])).size:
        first = max(0, first - reach) + int(near[0])
    return first


def _usual(values: FloatArray, per_day: int, steps: int) -> tuple[FloatArray, FloatArray]:
    """The median of each time of the day for the steps that follow, and what each value misses that of the other days by."""
    table = values[len(values) % per_day :].reshape(-1, per_day)
    days = len(table)
    others = np.array([[other for other in range(days) if other != day] for day in range(days)])
    missed: FloatArray = (table - np.median(table[others], axis=1)).ravel()
    return np.resize(np.median(table, axis=0), steps), missed


def _stands_out(departures: FloatArray, expected: FloatArray, missed: FloatArray, per_day: int) -> bool:
    change = float(np.median(departures))
    sign = np.sign(change)
    beyond = float(np.quantile(sign * missed, BEYOND))
    stretch = min(len(departures), per_day, len(missed))
    means = np.convolve(missed, np.ones(stretch) / stretch, mode="valid")
    return bool(
        abs(change) > MIN_CHANGE * float(np.median(np.abs(expected)))
        and (sign * departures > max(beyond, 0.0)).mean() >= MIN_OUTSIDE
        and abs(change) > MIN_TIMES * float(np.abs(means).max())
    )


def _told(after: FloatArray, expected: FloatArray, first: int) -> Shift:
    """The change as a sum or a factor, whichever tells the steps since better; what has not moved since is all that is left."""
    moves = np.flatnonzero(after != after[-1])
    still = int(moves[-1]) + 1 if len(moves) else 0
    if len(after) - still >= MIN_OUTSIDE * len(after):
        value = float(after[-1])
        return Shift(first=first + still, factor=0.0, sum=value, before=float(np.median(expected)), after=value)
    total = float(np.median(after - expected))
    size = float(expected @ expected)
    factor = float(after @ expected) / size if size > 0 else 0.0
    by_sum, by_factor = np.abs(after - expected - total).mean(), np.abs(after - factor * expected).mean()
    is_factor = factor >= 0 and by_factor < by_sum
    return Shift(
        first=first,
        factor=factor if is_factor else 1.0,
        sum=0.0 if is_factor else total,
        before=float(np.median(expected)),
        after=float(np.median(after)),
    )


def _is_weekend_s(times: pd.DatetimeIndex, first: int, per_day: int, *, is_fall: bool) -> bool:
    """Whether it is what a quiet weekend does at its beginning or its end, and the steps before know only one kind of day."""
    is_weekend = np.asarray(times.dayofweek >= 5)
    near = round(WEEKEND_HOURS / 24 * per_day)
    around, seen = is_weekend[max(0, first - near) : first + near + 1], is_weekend[:first]
    begins_or_ends = around[-1] and not around[0] if is_fall else around[0] and not around[-1]
    return bool(begins_or_ends and min(seen.sum(), (~seen).sum()) < per_day)
