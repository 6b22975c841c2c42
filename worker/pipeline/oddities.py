"""What values cannot well be, though each of them is a number: another unit in between, a sensor that stood still, a code.

another unit    60 58 61 0.6 0.58    from some time on, or now and then, by a factor of 100 or more
stands still    60 58 42 42 42 42    for a day, where the value changes in nearly every step else
a code          60 58 9999 61 9999   far above all others, and always the same
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from shared.domain.timegrid import MINUTE, SECONDS_PER_DAY
from shared.domain.wording import digits
from worker.models.base import FloatArray

CODES = (999.0, 9_999.0, 99_999.0, 999_999.0, 9_999_999.0, 99_999_999.0, 32_767.0, 65_535.0)  # what is written for "not known"
MIN_ABOVE = 2  # times the largest of the others, from which on such a number is no load
MIN_STILL = 24  # steps, and a day
MAX_EQUAL = 0.05  # share of the other steps that are equal to the one before, in a series that moves
FACTORS = (100.0, 1_000.0, 1_024.0)  # between units that are taken for each other now and then
MAX_OFF = 0.15  # relative, of a factor
MIN_FACTOR = 20  # of a unit that has changed for good
MIN_SHARE = 0.05  # of all values, in each of two units
MAX_MOVED = 0.2  # of all movement, that is left when both are written in one unit


def oddities(values: pd.Series[float], step_seconds: int) -> Iterator[str]:
    """What a person should know of the values of a series that varies and has no gaps, in plain words."""
    yield from filter(None, (_code(np.asarray(values, dtype=np.float64)), _still(values, step_seconds)))


def other_unit(values: pd.Series[float], step_seconds: int) -> str | None:
    """Whether some of the values are written in another unit than the others; None = they are not."""
    above = values[values > 0]
    if len(above) < 2 * MIN_STILL:
        return None
    logs = np.log(above.to_numpy())
    return _unit_changed(above, logs, step_seconds) or _units_mixed(above, logs)


def _code(values: FloatArray) -> str | None:
    high = values.max()
    is_code = values == high
    others = values[~is_code]
    if high not in CODES or not len(others) or high < MIN_ABOVE * others.max():
        return None
    return (
        f"{is_code.sum():,} of {len(values):,} values are {high:.15g}, and no other is above {digits(others.max())}:"
        f" where that means that there is no value, set `missing_values` to [{high:.15g}]"
    )


def _still(values: pd.Series[float], step_seconds: int) -> str | None:
    numbers = values.to_numpy()
    is_equal = np.diff(numbers) == 0
    borders = np.flatnonzero(~is_equal) + 1
    starts, ends = np.r_[0, borders], np.r_[borders, len(numbers)]
    longest = int(np.argmax(ends - starts))
    start, end = int(starts[longest]), int(ends[longest])
    count, value = end - start, numbers[start]
    if count < max(MIN_STILL, SECONDS_PER_DAY // step_seconds) or value in {0.0, numbers.max()}:  # idle, or at its limit
        return None
    if (is_equal.sum() - (count - 1)) > MAX_EQUAL * (len(numbers) - count):
        return None
    first_at, last_at = values.index[start], values.index[end - 1]
    return (
        f"the value is exactly {digits(value)} in {count:,} steps from {first_at:{MINUTE}} to {last_at:{MINUTE}}, and changes in"
        " nearly every other step: look whether what measures it stood still"
    )


def _unit_changed(values: pd.Series[float], logs: FloatArray, step_seconds: int) -> str | None:
    """By one border in time: what lies before and what lies after it hardly overlap, and are far apart."""
    least = max(MIN_STILL, SECONDS_PER_DAY // step_seconds)
    counts = np.arange(1, len(logs))
    sums = np.cumsum(logs)
    apart = np.abs(sums[:-1] / counts - (sums[-1] - sums[:-1]) / (len(logs) - counts)) * np.sqrt(counts * (len(logs) - counts))
    place = int(np.argmax(apart)) + 1
    before, after = np.split(values.to_numpy(dtype=np.float64), [place])
    if min(len(before), len(after)) < least:
        return None
    was, now = float(np.median(before)), float(np.median(after))
    low, high = (before, after) if was <= now else (after, before)
    factor = max(was, now) / min(was, now)
    if factor < MIN_FACTOR or np.quantile(low, 0.95) >= np.quantile(high, 0.05):
        return None
    way = "lower" if now < was else "higher"
    return (
        f"since {values.index[place]:{MINUTE}} the values are about {factor:.3g} times {way} than before (median {digits(now)},"
        f" before {digits(was)}), as when the unit has changed: mend what is written in another one"
    )


def _units_mixed(values: pd.Series[float], logs: FloatArray) -> str | None:
    """In between: two groups a usual factor apart, which are one smooth series when they are written in one unit."""
    ordered = np.sort(logs)
    gap = int(np.argmax(np.diff(ordered)))
    is_low = logs <= ordered[gap]
    if not MIN_SHARE <= is_low.mean() <= 1 - MIN_SHARE:
        return None
    factor = float(np.exp(np.median(logs[~is_low]) - np.median(logs[is_low])))
    if not any(abs(factor / usual - 1) <= MAX_OFF for usual in FACTORS):
        return None
    moved = np.abs(np.diff(logs)).sum()
    if np.abs(np.diff(logs + is_low * np.log(factor))).sum() > MAX_MOVED * moved:
        return None
    rare, way = (is_low, "lower") if is_low.mean() <= 0.5 else (~is_low, "higher")
    return (
        f"{rare.sum():,} of {len(values):,} values, the first at {values.index[int(np.argmax(rare))]:{MINUTE}}, are about"
        f" {factor:.3g} times {way} than the others beside them, as when they are written in another unit: mend them"
    )
