"""What is known of how far off a forecast may be: its winner's misses, the weeks before, and where its members disagree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from shared.domain.forecasts import WindowForecast
from shared.domain.timegrid import lead_groups
from worker.models.base import FloatArray
from worker.pipeline.distribution.kinds import BoolArray, Kinds, too_few
from worker.pipeline.measures import actual_of, prediction_of

GROWTH = 0.25  # of misses beyond the backtested lead times: 0 = they stay as large, 0.5 = as of a random walk
DAYS = 28  # before that tell what may come
HOURS_OF_DAY = 24

S = TypeVar("S", bound=np.generic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the distribution of a forecast is made from. Columns are the steps ahead, of `beside` those of several forecasts.

    prediction: shape (horizon,).
    misses: actual − prediction of each fold, newest first, NaN = not known; shape (folds, horizon).
    recent: the days before, each also an hour earlier and later: shape (days, 3, horizon), newest first, NaN = before the
        history, or not over yet.
    alike: which of these are of the kind of day that the step is; all, where too few are.
    is_weekend, missed_on_weekend: whether steps, and misses, are of days of the other kind; nowhere, where these are alike.
    members: forecasts that the prediction was blended from, with their votes, shape (members, horizon) each; of a single model
        the prediction itself.
    lead: of each step of one forecast, how many steps lie between the end of the history and it.
    season: steps of a day.
    groups: of lead times, as the columns of one forecast.
    folds: of how many folds the misses are, by forecast; shape (forecasts,).
    """

    prediction: FloatArray
    misses: FloatArray
    recent: FloatArray
    alike: BoolArray
    is_weekend: BoolArray
    missed_on_weekend: BoolArray
    members: FloatArray
    votes: FloatArray
    lead: NDArray[np.int_]
    season: int
    groups: tuple[slice, ...]
    folds: NDArray[np.int_]

    @property
    def horizon(self) -> int:
        """Number of steps, of all forecasts."""
        return len(self.prediction)

    def by_forecast(self, columns: NDArray[S]) -> NDArray[S]:
        """Shape (horizon,) as (forecasts, steps)."""
        return columns.reshape(len(self.folds), len(self.lead))

    def by_column(self, forecasts: NDArray[S]) -> NDArray[S]:
        """Shape (forecasts,) as (horizon,)."""
        return np.repeat(forecasts, len(self.lead))

    @property
    def blocks(self) -> int:
        """Folds whose misses are known at all steps."""
        return int(np.isfinite(self.misses).all(axis=1).sum())

    @property
    def windows(self) -> int:
        """Recent days that are known at all steps."""
        return int(np.isfinite(self.recent[:, 1]).all(axis=1).sum())

    @property
    def weekends_differ(self) -> BoolArray:
        """For which forecasts what is known of some days says nothing of others; shape (horizon,)."""
        differs = self.is_weekend | np.any(self.missed_on_weekend, axis=0)
        return self.by_column(np.any(self.by_forecast(differs), axis=1))

    @property
    def hour(self) -> int:
        """Steps of an hour, at least 1."""
        return max(1, self.season // HOURS_OF_DAY)


def groups_of(step_seconds: int, lead: NDArray[np.int_]) -> tuple[slice, ...]:
    """The groups of lead times as slices of the steps; a group without a step is an empty one."""
    last = int(lead[-1]) + 1
    edges = [[first - 1, end or last] for first, end in lead_groups(step_seconds, last)]
    return tuple(slice(*np.searchsorted(lead, edge).tolist()) for edge in edges)


def newest_first(folds: Sequence[WindowForecast]) -> list[WindowForecast]:
    """As everything that tells of folds has them."""
    return sorted(folds, key=lambda fold: fold.origin_at, reverse=True)


def beside(each: Sequence[Evidence]) -> Evidence:
    """That of several forecasts of the same lead times in a row; what one lacks in folds or members is unknown."""
    folds, members = max(len(one.misses) for one in each), max(len(one.members) for one in each)

    def in_a_row(of: Callable[[Evidence], NDArray[S]], rows: int | None = None, filled: float = 0) -> NDArray[S]:
        parts = [of(one) for one in each]
        if any(len(part) != rows for part in parts) and rows is not None:
            parts = [np.pad(part, ((0, rows - len(part)), (0, 0)), constant_values=filled) for part in parts]
        return np.concatenate(parts, axis=-1)

    return replace(
        each[0],
        prediction=in_a_row(lambda one: one.prediction),
        misses=in_a_row(lambda one: one.misses, folds, np.nan),
        recent=in_a_row(lambda one: one.recent),
        alike=in_a_row(lambda one: one.alike),
        is_weekend=in_a_row(lambda one: one.is_weekend),
        missed_on_weekend=in_a_row(lambda one: one.missed_on_weekend, folds),
        members=in_a_row(lambda one: one.members, members),
        votes=in_a_row(lambda one: one.votes, members),
        folds=in_a_row(lambda one: one.folds),
    )


def misses_of(folds: Sequence[WindowForecast], lead: NDArray[np.int_], season: int) -> FloatArray:
    """Actual − prediction of each fold, newest first, over the whole horizon: what was not backtested misses as the same hours
    of the last day that was, and a little more."""
    missed = np.array([actual_of(fold) - prediction_of(fold) for fold in newest_first(folds)])
    steps = missed.shape[1]
    growth = np.maximum((lead + 1) / steps, 1.0) ** GROWTH
    further: FloatArray = missed[:, places_missed(steps, lead, season)] * growth
    return further


def places_missed(steps: int, lead: NDArray[np.int_], season: int) -> NDArray[np.int_]:
    """Which of the steps of a fold tells of each step ahead."""
    day = min(season, steps)
    return np.where(lead < steps, lead, steps - day + (lead - steps) % day)


def recent_windows(values: FloatArray, places: NDArray[np.int_], season: int, kinds: Kinds) -> tuple[FloatArray, BoolArray]:
    """What was at these places in the weeks before, shape (days, 3, horizon), and which of it is of the same kind of day.

    Args:
        values: the history, on the clock on the wall.
        places: of each step ahead, counted from the end of the history.
    """
    days = int(places.max()) // season + DAYS
    hour = max(1, season // HOURS_OF_DAY)
    back = season * np.arange(1, days + 1)[:, np.newaxis, np.newaxis]
    shifts = np.array([-hour, 0, hour])[:, np.newaxis]
    at = len(values) - back + shifts + places
    is_known = (at >= 0) & (at < len(values))
    recent = np.where(is_known, values[np.clip(at, 0, len(values) - 1)], np.nan)
    same = kinds.at(at - len(values)) == kinds.at(places)
    return recent, same | too_few(same[:, 1], np.isfinite(recent[:, 1]))
