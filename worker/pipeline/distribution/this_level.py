"""Which misses of a backtest say something of the level that a queue is at now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.forecasts import WindowForecast
from shared.domain.timegrid import TimeGrid


def of_this_level(folds: Sequence[WindowForecast], since: datetime | None, grid: TimeGrid) -> Sequence[WindowForecast]:
    """The folds whose misses say something of the present level: those that begin with it, else the steps of all before it.

    A fold across a change of level misses by the whole change, which nobody expects to happen again in each forecast.
    """
    if since is None:
        return folds
    before = []
    for fold in folds:
        steps = max(0, grid.steps_between(fold.origin_at, since))
        before.append(replace(fold, actual=(*fold.actual[:steps], *(None for _ in fold.actual[steps:]))))
    is_known = any(value is not None for fold in before for value in fold.actual)
    return [fold for fold in folds if fold.origin_at >= since] or (before if is_known else folds)
