"""A level that changed in the last days: found, told, and taken out of what models learn from.

    history      ▂▃▂▃▂▃▂▃▂▃▂▃▇█▇█        since two days every value lies above what its hour of the day lets expect
    models see   ▇█▇█▇█▇█▇█▇█▇█▇█        the past at the present level, so that seasons stay and forecasts join it

What came before is moved by a sum or by a factor, whichever tells the new level better; by a factor of zero where the new level
is one value: what was switched off, or restarted, goes on as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.domain.timegrid import SECONDS_PER_DAY
from worker.prepare.ranked import median_of, quantile_of

FloatArray = NDArray[np.float64]

# So it was found on the checking half of tests/bench/forecast.py on none of the days of resource pools, on 0–0.7 % of groups of
# machines, 0.5–2 % of M4-Hourly and 2–6 % of single machines, with 14 and 5 days of history. Moved, it told the day after
# better: the median of each hour of a week missed by 0.4 and 0.6 of what it did on M4-Hourly, by 0.5 and 0.3 on single machines.
MIN_DAYS_BEFORE, MAX_DAYS_BEFORE, MAX_DAYS_AFTER = 2, 14, 3
MIN_AFTER = 1 / 3  # of a day: shorter is a burst
MIN_AT_REST = 1 / 12  # of a day, of one value after another one
MIN_CHANGE = 0.1  # of the level before
MIN_OUTSIDE = 0.9  # of the steps since, beyond what the hours before let expect
BEYOND = 0.95  # of the misses before
MIN_TIMES = 1.5  # as large as what any stretch of like length missed by on average before
DAYS_OF_WEEK = 7
REFINED = 2  # times that a change is dated again by what it turned out to be
MARGIN = 0.9  # of what the hours of all days miss by on average, below which weekends and working days are told apart
WEEKEND_HOURS = 8  # so close to the beginning or the end of a weekend a fall or a rise is its own, where too few before tell


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


def find_shift(values: FloatArray, is_weekend: NDArray[np.bool_], step_seconds: int) -> Shift | None:
    """The change of level in the last days; None = none that stands out.

    Args:
        values: shape (n,), finite, regular.
        is_weekend: which of the steps are of a Saturday or Sunday.
    """
    per_day, rest = divmod(SECONDS_PER_DAY, step_seconds)
    least = max(2, round(MIN_AFTER * per_day))
    if rest or per_day < 4 or len(values) <= MIN_DAYS_BEFORE * per_day:
        return None
    if (first := _left_rest(values, per_day)) is not None:
        return Shift(first=first, factor=0.0, sum=float(values[-1]), before=float(values[first - 1]), after=float(values[-1]))
    if len(values) < MIN_DAYS_BEFORE * per_day + least:
        return None
    first = _change(values, is_weekend, per_day, least)
    if first is None:
        return None
    expected, missed = _usual(values, is_weekend, per_day, first)
    after = values[first:]
    change = median_of(after - expected)
    is_small = not abs(change) > MIN_CHANGE * median_of(np.abs(expected))
    if is_small or _is_weekend_s(is_weekend, first, per_day, is_fall=change < 0):
        return None
    return _told(after, expected, first) if _stands_out(after - expected, change, missed, per_day) else None


def _left_rest(values: FloatArray, per_day: int) -> int | None:
    """Since when it stands at another value than the one at which it stood for days, without a burst that this may be like."""
    first = int(np.flatnonzero(values != values[-1])[-1]) + 1 if (values != values[-1]).any() else 0
    before = values[max(0, first - MAX_DAYS_BEFORE * per_day) : first]
    is_left = len(before) >= MIN_DAYS_BEFORE * per_day and (before == before[-1]).all()
    return first if is_left and max(2, MIN_AT_REST * per_day) <= len(values) - first <= MAX_DAYS_AFTER * per_day else None


def _change(values: FloatArray, is_weekend: NDArray[np.bool_], per_day: int, least: int) -> int | None:
    """Where, among the last steps, a step in the departures from what is usual explains most."""
    searched = min(MAX_DAYS_AFTER * per_day, len(values) - MIN_DAYS_BEFORE * per_day)
    origin = len(values) - searched
    usual, _ = _usual(values, is_weekend, per_day, origin)
    departures = values[origin:] - usual
    counts = np.arange(searched, 0, -1)
    explained = np.where(counts >= least, _from_here_on(departures) ** 2 / counts, 0.0)  # what a step takes off the squares
    first = int(np.argmax(explained))
    if explained[first] <= 0:
        return None
    for _ in range(REFINED):
        told = _sum_or_factor(values[origin + first :], usual[first:])
        better = np.abs(departures) - np.abs(values[origin:] - told[0] * usual - told[1])
        first = int(np.argmax(np.where(counts >= least, _from_here_on(better), -np.inf)))
    return origin + first


def _from_here_on(values: FloatArray) -> FloatArray:
    """The sums of all values from each on."""
    return np.cumsum(values[::-1])[::-1]


def _usual(values: FloatArray, is_weekend: NDArray[np.bool_], per_day: int, first: int) -> tuple[FloatArray, FloatArray]:
    """What is usual at the steps from `first` on, and what each value of the days before misses that of its other days by.

    That is the median of the same time of the day, of weekends or of working days alone where a history of a week or more is
    told better so.
    """
    days = min(MAX_DAYS_BEFORE, first // per_day)
    before = slice(first - days * per_day, first)
    table, kinds = values[before].reshape(-1, per_day).T, is_weekend[before].reshape(-1, per_day).T
    has_weeks = len(values) >= DAYS_OF_WEEK * per_day
    of_all, of_others = _medians(table, [np.ones_like(kinds), *([~kinds, kinds] if has_weeks else [])])
    hours = np.arange(len(values) - first) % per_day
    ahead, missed = of_all[0][hours], table - of_others[0]
    if has_weeks:
        usual = np.where(kinds, of_others[2], of_others[1])
        missed_by_kind = np.where(np.isnan(usual), missed, table - usual)
        if np.abs(missed_by_kind).mean() < MARGIN * np.abs(missed).mean():
            told = np.where(is_weekend[first:], of_all[2][hours], of_all[1][hours])
            return np.where(np.isnan(told), ahead, told), missed_by_kind.T.ravel()
    return ahead, missed.T.ravel()


def _medians(table: FloatArray, counts: Sequence[NDArray[np.bool_]]) -> tuple[FloatArray, FloatArray]:
    """For each way to count, the median of each row's values that count, and the same without each of these; NaN = of none.

    Both from one order: without the value of rank r those above it come one place earlier.
    """
    counted, days = np.array(counts), table.shape[1]
    order = np.argsort(np.where(counted, table, np.inf), axis=2, kind="stable")
    ranked = table[np.arange(len(table))[:, np.newaxis], order].ravel()
    begins = np.arange(0, order.size, days).reshape(*order.shape[:2], 1)
    rank, many = np.empty_like(order), counted.sum(axis=2, keepdims=True)
    rank.ravel()[begins + order] = np.arange(days)

    def middle(lower: NDArray[np.int_], upper: NDArray[np.int_]) -> FloatArray:
        values: FloatArray = (ranked[begins + np.maximum(lower, 0)] + ranked[begins + upper]) / 2
        return values

    lower, upper = (many - 2) // 2, np.maximum(many - 1, 0) // 2
    of_all = np.where(many > 0, middle((many - 1) // 2, np.minimum(many // 2, days - 1)), np.nan)
    of_others = np.where(many > 1, middle(lower + (lower >= rank), np.minimum(upper + (upper >= rank), days - 1)), np.nan)
    return of_all[:, :, 0], of_others


def _stands_out(departures: FloatArray, change: float, missed: FloatArray, per_day: int) -> bool:
    sign = np.sign(change)
    beyond = quantile_of(sign * missed, BEYOND)
    stretch = min(len(departures), per_day, len(missed))
    means = np.convolve(missed, np.ones(stretch) / stretch, mode="valid")
    return bool(
        (sign * departures > max(beyond, 0.0)).mean() >= MIN_OUTSIDE and abs(change) > MIN_TIMES * float(np.abs(means).max())
    )


def _told(after: FloatArray, expected: FloatArray, first: int) -> Shift:
    """The change as a sum or a factor, whichever tells the steps since better; what has not moved since is all that is left."""
    moves = np.flatnonzero(after != after[-1])
    still = int(moves[-1]) + 1 if len(moves) else 0
    if len(after) - still >= MIN_OUTSIDE * len(after):
        value = float(after[-1])
        return Shift(first=first + still, factor=0.0, sum=value, before=median_of(expected), after=value)
    factor, total = _sum_or_factor(after, expected)
    return Shift(first=first, factor=factor, sum=total, before=median_of(expected), after=median_of(after))


def _sum_or_factor(after: FloatArray, expected: FloatArray) -> tuple[float, float]:
    """The factor and the sum, one of which changes nothing, that make what was expected what came, as nearly as may be."""
    total, size = median_of(after - expected), float(expected @ expected)
    factor = float(after @ expected) / size if size > 0 else 0.0
    by_sum, by_factor = np.abs(after - expected - total).mean(), np.abs(after - factor * expected).mean()
    return (factor, 0.0) if factor >= 0 and by_factor < by_sum else (1.0, total)


def _is_weekend_s(is_weekend: NDArray[np.bool_], first: int, per_day: int, *, is_fall: bool) -> bool:
    """Whether it is what a quiet weekend does at its beginning or its end, and hardly a day before was of the same kind."""
    near = round(WEEKEND_HOURS / 24 * per_day)
    around, seen = is_weekend[max(0, first - near) : first + near + 1], is_weekend[:first]
    begins_or_ends = around[-1] and not around[0] if is_fall else around[0] and not around[-1]
    return bool(begins_or_ends and min(seen.sum(), (~seen).sum()) < MIN_DAYS_BEFORE * per_day)
