"""The quantiles of each day's maximum, which is a series of its own: the maximum of a median forecast is nearly always too low.

    days     ▇  ▅  ▆  ▇  ▅ │ ?  ?  ?      members: the last maximum, medians and a mean of recent ones, the same day of the week
                           │              before, the prediction's own maximum, and that with what it used to miss by

Their forecasts of past days are known without any fit, from the history and the winner's backtest. A linear opinion pool of them,
of what their weighted median missed by, of the maxima of the prediction with whole misses of the backtest, and of the maxima of
the last four weeks, of which later ones count for more. Where weekends are unlike other days, each of these looks at days of the
kind of the one ahead only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.models.base import FloatArray
from worker.pipeline.distribution.kinds import FEWEST, BoolArray, Kinds, too_few
from worker.pipeline.distribution.pool import Samples, further, pooled, share, stretched, weighted_median
from worker.prepare.ranked import median_of, quantile_of

# Chosen on every second real series at hand and checked on the others.
MISSES, MEMBERS, BLOCKS, RECENT = 0.1, 0.3, 0.35, 0.25
OWN = 0.8  # of a whole miss, as the noise of predictions is in both it and the prediction, and would count twice in a maximum
STRETCH = (1.1, 1.25, 1.4)  # of the tails, by day; later ones as the last
RAMP = 0.15
POWER = 2  # votes = 1 / error ** POWER
RECENCY = 0.85  # what a fold counts beside one of a day later, in the votes of members
AGEING = 0.95  # what a miss counts beside the one after it
DAYS, FADING = 28, 0.9  # recent maxima that count, and what each counts beside the one after it
MAX_LOG_RATIO = 1.5  # natural logarithm: a prediction's maximum is made at most 4.5 times as high, or as low
SHARED_FOLDS = 2  # a ratio counts as if so many folds had told that there is none
TINY = 1e-9
ERROR_FLOOR = 0.01  # of the mean maximum: smaller errors are all alike
WEEK = 7
UPPER = 0.7  # quantile of the last week's maxima


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One fold as days: how many steps before the end of the history it began, and the maximum of each day of it.

    tops: of the prediction, shape (days,). actual: of what happened, NaN = not known in full.
    """

    back: int
    tops: FloatArray
    actual: FloatArray


def day_maxima(values: FloatArray, season: int, hours: int) -> FloatArray:
    """Of the first `hours` steps of each whole day of those that end with the values, newest first."""
    days = len(values) // season
    maxima: FloatArray = values[len(values) - days * season :].reshape(days, season)[:, :hours].max(axis=1)[::-1]
    return maxima


def tops(steps: FloatArray, season: int) -> FloatArray:
    """The maximum of each day ahead, the last one of which may be shorter; NaN where a step is. Columns are the last axis."""
    maxima: FloatArray = np.maximum.reduceat(steps, np.arange(0, steps.shape[-1], season), axis=-1)  # which hands NaN on
    return maxima


def peak_quantiles(
    values: FloatArray, recent: FloatArray, prediction: FloatArray, *, missed: FloatArray, folds: Sequence[Past], kinds: Kinds
) -> FloatArray:
    """Quantiles at `FINE` of each day's maximum, shape (len(FINE), days); not clipped yet.

    Args:
        values: the history as it was when the folds began.
        recent: maxima of the same hours of the days before, shape (days before, days), newest first, NaN = there is none.
        prediction: shape (horizon,).
        missed: what each fold missed by, newest first, NaN = not known; shape (folds, horizon).
        folds: newest first.
        kinds: of the steps of the history and after it.
    """
    season, ahead = kinds.season, tops(prediction, kinds.season)
    days = len(ahead)
    lengths = [min(season, len(prediction) - day * season) for day in range(days)]
    told = Told(kinds=kinds, lengths=lengths)
    issued = Past(back=0, tops=ahead, actual=np.full(days, np.nan))
    now = _members([*recent.T], issued, folds, told)
    then = [_members(_maxima_before(fold, values, told), fold, folds, told) for fold in folds]
    votes = _votes(now, then, folds)
    point = weighted_median(now, votes)
    errors = [fold.actual - weighted_median(each, votes) for fold, each in zip(folds, then, strict=True)]
    said = _with_misses(np.array(errors).reshape(-1, days) + point, point, recent, folds, told)
    whole = _with_misses(tops(prediction + OWN * missed, season), ahead, recent, folds, told)
    parts = [share(said, MISSES), share((now, votes), MEMBERS), share(whole, BLOCKS), share(_recent(recent, told), RECENT)]
    return stretched(pooled(parts), _factor(days) * further(len(folds)), RAMP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Which days tell of which. lengths: of the days ahead, in steps."""

    kinds: Kinds
    lengths: Sequence[int]

    def before(self, fold: Past, day: int, count: int) -> BoolArray:
        """Which of so many days before a day of a fold are of its kind, newest first."""
        place = day * self.kinds.season - fold.back
        return self.kinds.alike(place, place - self.kinds.season * np.arange(1, count + 1), self.lengths[day])

    def alike(self, fold: Past, others: Sequence[Past]) -> BoolArray:
        """Which days of other folds are of the kind of those of this one, shape (folds, days)."""
        starts = self.kinds.season * np.arange(len(self.lengths))
        backs = np.array([other.back for other in others], dtype=np.int_)
        rows = [
            self.kinds.alike(int(start) - fold.back, start - backs, steps)
            for start, steps in zip(starts, self.lengths, strict=True)
        ]
        return np.stack(rows, axis=1)


def _maxima_before(fold: Past, values: FloatArray, told: Told) -> list[FloatArray]:
    """Of each day of a fold, maxima of the same hours of the days before it, newest first, NaN = not over when it began."""
    before = values[: max(0, len(values) - fold.back)]
    old = [day_maxima(before, told.kinds.season, hours) for hours in told.lengths]
    return [np.concatenate([np.full(day, np.nan), column]) for day, column in enumerate(old)]


def _reach(recent: FloatArray, point: FloatArray, told: Told) -> tuple[FloatArray, FloatArray]:
    """The least and the most of recent maxima of the kind of each day ahead, and of what is forecast of it."""
    issued = Past(back=0, tops=point, actual=point)
    own = [_own(column, told.before(issued, day, len(column))) for day, column in enumerate(recent.T)]
    both = [np.append(old, middle) for old, middle in zip(own, point, strict=True)]
    return np.array([each.min() for each in both]), np.array([each.max() for each in both])


def _own(column: FloatArray, alike: BoolArray) -> FloatArray:
    """Those of the days' maxima that are known and of the kind asked for, or of all kinds where these are too few."""
    known = np.isfinite(column)
    return column[known if (alike & known).sum() < FEWEST else alike & known]


def _with_misses(said: FloatArray, point: FloatArray, recent: FloatArray, folds: Sequence[Past], told: Told) -> Samples:
    """What was forecast with the miss of each fold, of days of its own kind, shape (folds, days); where too few are known, of all
    days, inside what its own kind has reached."""
    alike = told.alike(Past(back=0, tops=point, actual=point), folds)
    few = too_few(alike, np.isfinite(said))
    inside = np.where(few & told.kinds.differ, np.clip(said, *_reach(recent, point, told)), said)
    ageing = AGEING ** np.arange(len(said), dtype=np.float64)[:, np.newaxis]
    return inside, np.where(alike | few, ageing, 0.0)


def _recent(recent: FloatArray, told: Told) -> Samples:
    """Recent maxima of the kind of each day ahead."""
    issued = Past(back=0, tops=np.empty(0), actual=np.empty(0))
    values = np.full((DAYS, recent.shape[1]), np.nan)
    for day, column in enumerate(recent.T):
        old = _own(column, told.before(issued, day, len(column)))[:DAYS]
        values[: len(old), day] = old
    return values, np.broadcast_to(FADING ** np.arange(DAYS, dtype=np.float64)[:, np.newaxis], values.shape)


def _members(maxima: Sequence[FloatArray], fold: Past, folds: Sequence[Past], told: Told) -> FloatArray:
    """What each member says of the days of a fold, shape (members, days); NaN = nothing.

    Args:
        maxima: of each day, those of the same hours of days before it, newest first; NaN = not known, or not over yet.
    """
    of_history = np.full((WEEK + 1, len(fold.tops)), np.nan)
    for day, column in enumerate(maxima):
        old = _own(column, told.before(fold, day, len(column)))
        if len(old):
            level = (old[0], median_of(old[:3]), median_of(old[:7]), median_of(old[:13]), old[:3].max())
            of_history[:WEEK, day] = [*level, old[:7].mean(), quantile_of(old[:7], UPPER)]
        if day < WEEK <= len(column):
            of_history[WEEK, day] = column[WEEK - 1]
    return np.concatenate([of_history, fold.tops[np.newaxis], (fold.tops * _ratio(fold, folds, told))[np.newaxis]])


def _ratio(fold: Past, folds: Sequence[Past], told: Told) -> FloatArray:
    """By how much the prediction's maximum of each day used to be too low, as known when the fold began; NaN = not known."""
    ratio = np.full(len(fold.tops), np.nan)
    alike = told.alike(fold, folds)
    for day in range(len(ratio)):
        over = [
            each
            for each, is_told in zip(folds, alike[:, day], strict=True)
            if is_told and each.back - (day + 1) * told.kinds.season >= fold.back and np.isfinite(each.actual[day])
        ]
        logs = [np.log(max(each.actual[day], TINY) / max(each.tops[day], TINY)) for each in over]
        if logs:
            share_told = len(logs) / (len(logs) + SHARED_FOLDS)
            ratio[day] = np.exp(min(MAX_LOG_RATIO, max(-MAX_LOG_RATIO, median_of(logs))) * share_told)
    return ratio


def _votes(now: FloatArray, then: Sequence[FloatArray], folds: Sequence[Past]) -> FloatArray:
    """One over the error of each member, its geometric mean over the folds, squared; shape (members, days)."""
    actual = np.array([fold.actual for fold in folds]).reshape(len(folds), -1)
    if not np.isfinite(actual).any():
        equal: FloatArray = np.isfinite(now).astype(np.float64)
        return equal
    floor = ERROR_FLOOR * abs(float(np.nanmean(actual))) + TINY
    errors = np.maximum(np.abs(np.stack(then, axis=1) - actual), floor)  # (members, folds, days)
    known = np.isfinite(errors)
    mass = RECENCY ** np.arange(len(folds))[np.newaxis, :, np.newaxis] * known
    logs = (np.log(np.where(known, errors, 1.0)) * mass).sum(axis=1)
    carried = mass.sum(axis=1)
    overall = carried.sum(axis=1, keepdims=True)
    mean = logs.sum(axis=1, keepdims=True) / np.where(overall > 0, overall, 1.0)
    score = np.where(overall > 0, (logs + mean) / (carried + 1), np.inf)
    votes: FloatArray = np.exp(-POWER * (score - score.min(axis=0))) * np.isfinite(now)
    usable: FloatArray = np.where(votes.sum(axis=0) > 0, votes, np.isfinite(now))
    return usable


def _factor(days: int) -> FloatArray:
    return np.array([STRETCH[min(day, len(STRETCH) - 1)] for day in range(days)])
