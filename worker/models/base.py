"""Model: one promise, stated once; and the history it is given.

A model is a frozen dataclass: its fields are its hyperparameters, its one method fits and predicts, and no fitted object
exists outside. It promises: floats of shape (horizon,), all finite; the same history gives the same answer; the input is left
untouched; heavy libraries are imported inside `forecast`, because planning reads every grid. What it cannot do on this data it
says by `missing`, before anything is tried; what goes wrong later it raises as a ModelError with the reason in plain words.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.jobs import Grid
from shared.domain.lanes import Lane
from shared.domain.timegrid import steps_per_day

FloatArray = NDArray[np.float64]
MIN_SEASONS = 2  # whole ones, of a day, a week or a year: a season seen once cannot be told from the level


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much there is to learn from, before anything is learned.

    length: steps of history. covariates: number of covariates. horizon: steps asked for.
    """

    length: int
    covariates: int
    step_seconds: int
    horizon: int

    @property
    def steps_per_day(self) -> int:
        """Steps of one daily season, at least 1."""
        return steps_per_day(self.step_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a model sees of one queue up to a cutoff; nothing later.

    target: shape (n,), finite, regular.
    covariates: shape (n, k), finite; other columns of the queue whose future is unknown; k may be 0.
    features: makes `calendar`; most models never ask for it.
    times: n + horizon starts of steps as the clock on the wall of the request's time zone shows them, without a zone; regular,
        so that a day has the same number of steps throughout.
    """

    target: FloatArray
    covariates: FloatArray
    features: Callable[[], pd.DataFrame]
    times: pd.DatetimeIndex
    step_seconds: int
    seed: int = 0

    @property
    def calendar(self) -> pd.DataFrame:
        """n + horizon rows of calendar features, float columns; the first n rows belong to the history. Known in the future."""
        return self.features()

    @property
    def length(self) -> int:
        """Number of known steps, n."""
        return len(self.target)

    @property
    def steps_per_day(self) -> int:
        """Steps of one daily season, at least 1."""
        return steps_per_day(self.step_seconds)

    def extent(self, horizon: int) -> Extent:
        """How much there is to learn from for `horizon` steps."""
        covariates = self.covariates.shape[1]
        return Extent(length=self.length, covariates=covariates, step_seconds=self.step_seconds, horizon=horizon)


Asked = tuple[History, int]  # and how many steps ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Accepted range of a number, both ends included, None = open; a part of its type: `Annotated[int, Bounds(minimum=1)]`."""

    minimum: float | None = None
    maximum: float | None = None


class Model(ABC):
    """A forecasting model with its hyperparameters; see the module's docstring for the promise.

    grid: hyperparameter → values tried by default.
    lane: where its candidates wait; `HEAVY` for what takes seconds.
    cost: relative CPU price of one fit (1 = arithmetic, about 3 ms); breaks ties, cheaper first.
    is_baseline: baselines are candidates whatever the request names, unless it leaves them out.
    is_scaled: target and covariates come standardised (fitted on this history only), and the answer is scaled back by the caller;
        for models that are sensitive to scale and do not scale by themselves.
    """

    grid: ClassVar[Grid] = {}
    lane: ClassVar[Lane] = Lane.SCORE
    cost: ClassVar[int] = 1
    is_baseline: ClassVar[bool] = False
    is_scaled: ClassVar[bool] = False

    @abstractmethod
    def missing(self, extent: Extent) -> str | None:
        """What this data lacks for the model, in plain words, or None when the model can run."""

    @abstractmethod
    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Fit on the history, predict the next `horizon` steps; raises a ModelError when it cannot. Nothing is `missing`."""

    def calendar_of(self, history: History) -> tuple[str, ...]:  # noqa: ARG002 - most learn from none
        """Which of the calendar features it learns from, with this history."""
        return ()

    def forecasts(self, asked: Sequence[Asked]) -> list[FloatArray]:
        """The same of folds of one queue, oldest first, where a later one may be forecast by what was fitted before it."""
        return [self.forecast(history, horizon) for history, horizon in asked]


def weighted_median(values: FloatArray, votes: FloatArray) -> FloatArray:
    """Of values with votes the one that has half of them on either side, along the first axis; of equal votes the median.

    Args:
        values: finite.
        votes: of the same shape, not negative, and of each column some above 0.
    """
    order = np.argsort(values, axis=0, kind="stable")
    counted = np.cumsum(np.take_along_axis(votes, order, axis=0), axis=0)
    half = counted[-1] / 2
    ranked = np.take_along_axis(values, order, axis=0)
    lower, upper = (np.argmax(reached, axis=0, keepdims=True) for reached in (counted >= half, counted > half))
    median: FloatArray = (np.take_along_axis(ranked, lower, axis=0)[0] + np.take_along_axis(ranked, upper, axis=0)[0]) / 2
    return median
