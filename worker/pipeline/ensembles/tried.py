"""What single candidates have forecast in the backtest, as arrays: what blends learn from, fold by fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shared.domain.accuracy import ZERO
from shared.domain.choice import Ranking
from shared.domain.forecasts import Candidate, Score
from shared.domain.recipes import Recipe
from worker.models.base import FloatArray
from worker.pipeline.ensembles.recipe import Composite
from worker.pipeline.measures import actual_of, measured, prediction_of

Folds = list[int]  # positions of those that something is learned on
EVERY = slice(None)  # all steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The scores of a queue, all on the same folds.

    forecasts: shape (candidates, folds, steps).
    actual: shape (folds, steps), NaN where there is no value.
    by: what candidates are compared by.
    every: steps from the beginning of one fold to that of the next; where it is less than a fold has, they overlap.
    """

    scores: tuple[Score, ...]
    forecasts: FloatArray
    actual: FloatArray
    by: Ranking
    every: int

    @property
    def folds(self) -> Folds:
        """All of them, oldest first."""
        return [*range(len(self.actual))]

    @property
    def errors(self) -> FloatArray:
        """|actual − forecast|, NaN where there is no value; shape (candidates, folds, steps)."""
        return np.abs(self.forecasts - self.actual)

    def losses(self, folds: Folds, steps: slice = EVERY) -> FloatArray:
        """What each candidate misses by in these folds and steps, as `by` counts it; NaN where nothing can be counted."""
        errors, size = self.errors[:, folds, steps], np.abs(self.actual[folds, steps])
        if self.by is Ranking.MAPE:
            errors = errors / np.where(size > ZERO, size, np.nan)
        elif self.by is Ranking.RMSE:
            errors = errors**2
        counted = np.isfinite(errors[0])
        return errors[:, counted].mean(axis=1) if counted.any() else np.full(len(errors), np.nan)

    def apart_from(self, fold: int) -> Folds:
        """Those that share no step with this one: what is learned on them is scored on it."""
        return apart(fold, self.folds, every=self.every, steps=self.actual.shape[1])

    def forecast(self, fold: int, candidate: Candidate) -> FloatArray:
        """What the candidate has forecast of this fold."""
        place = next(place for place, score in enumerate(self.scores) if score.candidate == candidate)
        forecast: FloatArray = self.forecasts[place, fold]
        return forecast

    def composite(
        self, name: str, made_of: str, recipe: Recipe, forecasts: Sequence[FloatArray], by_fold: Sequence[Recipe]
    ) -> Composite:
        """A candidate made of these, scored like any other on its forecast of each fold; its members' seconds are theirs."""
        folds, like = [], [*zip(*(score.windows for score in self.scores), strict=True)]
        for forecast, same in zip(forecasts, like, strict=True):
            fold = replace(same[0], prediction=tuple(forecast.tolist()))
            folds.append(replace(fold, measures=measured([fold], [same])))
        candidate = Candidate(model=name, hyperparameters={"members": made_of})
        score = Score(candidate=candidate, measures=measured(folds, like), windows=tuple(folds), seconds=0.0)
        return Composite(score=score, recipe=recipe, by_fold=tuple(by_fold))


def apart(fold: int, folds: Folds, *, every: int, steps: int) -> Folds:
    """Of folds of so many steps, which begin `every` so many, those that share none with this one."""
    return [other for other in folds if abs(other - fold) * every >= steps]


def tried(scores: Sequence[Score], by: Ranking, every: int | None = None) -> Tried:
    """These scores, at least one, which have at least one fold.

    Args:
        every: as in `Tried`; None = the folds lie side by side.
    """
    forecasts = np.array([[prediction_of(fold) for fold in score.windows] for score in scores])
    actual = np.array([actual_of(fold) for fold in scores[0].windows])
    return Tried(scores=tuple(scores), forecasts=forecasts, actual=actual, by=by, every=every or actual.shape[1])
