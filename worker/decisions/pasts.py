"""The past of a queue as a rule is replayed on it: what was said of each day before it came, beside what came.

issued forecasts   ▸ the quantiles of their steps, of which any capacity's cost follows; paths of old ones are not kept
a search's folds   ▸ its winner's prediction by how much folds before missed, and the last days as they were
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np

from shared.domain.excess import SECONDS_PER_HOUR
from shared.domain.forecasts import Forecast, WindowForecast
from shared.domain.reports import Point
from worker.decisions.objective import Demand
from worker.decisions.replay import Cutoff, Past
from worker.decisions.terms import Facts
from worker.models.base import FloatArray

RANKS = 24  # quantiles that stand for a step
RECENT_DAYS = 7
A_DAY = timedelta(days=1)


def past_of_issued(
    issued: Sequence[Forecast], actuals: Sequence[Point], newest: Forecast, present: float, window_steps: int
) -> Past | None:
    """Of forecasts of one series, oldest first; None = no window of theirs is over.

    Args:
        newest: the one that is decided on; what came after it counts for nothing. present: what it has.
        window_steps: that are decided on.
    """
    frame = _Frame(newest, actuals, window_steps)
    told = ((each.issued_at, frame.of_quantiles(each)) for each in issued if each.horizon_steps >= window_steps)
    return frame.past(told, present)


def past_of_folds(
    folds: Sequence[WindowForecast], actuals: Sequence[Point], newest: Forecast, present: float, window_steps: int
) -> Past | None:
    """Of the folds of a search, oldest first, each with those before it; None = there are too few.

    Args:
        newest, present, window_steps: as for forecasts.
    """
    frame = _Frame(newest, actuals, window_steps)
    whole = [fold for fold in folds if len(fold.prediction) >= window_steps]
    told = ((fold.origin_at, frame.of_folds(whole, fold)) for fold in whole)
    return frame.past(told, present)


class _Frame:
    """The demand of the queue step by step, and where moments are in it."""

    def __init__(self, newest: Forecast, actuals: Sequence[Point], steps: int) -> None:
        self._newest, self._steps = newest, steps
        self._hours = newest.step_seconds / SECONDS_PER_HOUR
        self._first = actuals[0].timestamp if actuals else newest.issued_at
        self._values = np.full(max(0, self._place(newest.issued_at)), np.nan)
        for point in actuals:
            place = self._place(point.timestamp)
            if point.value is not None and 0 <= place < self._values.size:
                self._values[place] = point.value

    def of_quantiles(self, forecast: Forecast) -> Demand | None:
        """Of a forecast without paths; None = it is of a release that told no quantiles."""
        if not forecast.quantiles:
            return None
        ranks = (np.arange(RANKS) + 0.5) / RANKS
        rows = np.array([forecast.quantiles.at(float(rank))[: self._steps] for rank in ranks])
        return Demand.of(np.maximum(rows, 0.0), hours=self._hours)

    def of_folds(self, folds: Sequence[WindowForecast], fold: WindowForecast) -> Demand | None:
        """What could be said at a fold's cutoff; None = no fold before it was over."""
        length = self._steps * timedelta(seconds=self._newest.step_seconds)
        said = np.array(fold.prediction[: self._steps])
        before = [each for each in folds if each.origin_at + length <= fold.origin_at]
        misses = [row for each in before if np.isfinite(row := self._miss(each)).all()]
        if not misses:
            return None
        recent = list(self._recent(self._place(fold.origin_at)))
        rows = np.maximum(np.array([*(said + miss for miss in misses), *recent]), 0.0)
        halves = [1 / len(misses)] * len(misses) + [1 / len(recent)] * len(recent)
        is_recent = np.array([False] * len(misses) + [True] * len(recent))
        return Demand.of(rows, hours=self._hours, mass=np.array(halves), is_recent=is_recent)

    def past(self, told: Iterator[tuple[datetime, Demand | None]], present: float) -> Past | None:
        """With cutoffs side by side; without those whose window is not over, or of which nothing is known."""
        cutoffs, free = list[Cutoff](), 0
        for moment, demand in told:
            at = self._place(moment)
            window = self._values[at : at + self._steps]
            is_over = at >= free and window.size == self._steps and np.isfinite(window).any()
            if demand is not None and is_over:
                cutoffs.append(Cutoff(at=at, demand=demand, facts=Facts(unit=self._newest.unit)))
                free = at + self._steps
        if not cutoffs:
            return None
        return Past(
            queue=self._newest.queue,
            values=self._values,
            cutoffs=tuple(cutoffs),
            hours=self._hours,
            window_steps=self._steps,
            present=present,
        )

    def _miss(self, fold: WindowForecast) -> FloatArray:
        actual = np.array([np.nan if value is None else value for value in fold.actual[: self._steps]])
        miss: FloatArray = actual - np.array(fold.prediction[: self._steps])
        return miss

    def _recent(self, cutoff: int) -> Iterator[FloatArray]:
        a_day = max(1, round(A_DAY.total_seconds() / self._newest.step_seconds))
        for start in range(cutoff - self._steps, max(-1, cutoff - self._steps - RECENT_DAYS * a_day), -a_day):
            window = self._values[max(0, start) : start + self._steps]
            if start >= 0 and np.isfinite(window).all():
                yield window

    def _place(self, moment: datetime) -> int:
        return self._newest.grid.steps_between(self._first, moment)
