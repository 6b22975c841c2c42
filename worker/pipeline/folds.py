"""History → the folds of the backtest: how long each is, how many there are, and how far apart they begin."""

from __future__ import annotations

from typing import NamedTuple

from shared.domain.timegrid import SECONDS_PER_DAY
from worker.models.base import MIN_SEASONS

FEW = 3  # what candidates that cost seconds can afford
MANY = 14  # what is left to learn from more of them is little
TRAINING_DAYS = (7, 4)  # before the first of many: a week, since without it nobody can repeat the last one, else what is left
MAX_STEPS = 1_500  # of many together: what they forecast is kept until the winner is chosen


class FoldPlan(NamedTuple):
    """The folds of a queue: steps of each, their number, and steps from the beginning of one to that of the next."""

    steps: int
    number: int
    every: int


def planned_folds(steps: int, horizon: int, requested: int | None, step_seconds: int, *, is_cheap: bool) -> FoldPlan:
    """What the request says; where it says nothing, one a day for candidates that are cheap and few for others.

    Daily folds overlap where the horizon is longer than a day; they begin at the same hour as the forecast will:

        steps  horizon
          336       24   →  7 of 24, a day apart, the first trained on 168 steps
          336       72   →  5 of 72, a day apart
          216       24   →  5 of 24, the first trained on 96
          672       24   →  14
    """
    length, count = fold_rule(steps, horizon, requested or FEW, step_seconds)
    day = two_days(step_seconds) // MIN_SEASONS
    if requested is None and is_cheap and length == horizon and day > 1:
        most = min(MANY, max(FEW, MAX_STEPS // horizon))
        for training in TRAINING_DAYS:
            many = min(most, (steps - training * day - horizon) // day + 1)
            if many > count:
                return FoldPlan(horizon, many, day)
    return FoldPlan(length, count, length)


def fold_rule(steps: int, horizon: int, requested: int, step_seconds: int) -> tuple[int, int]:
    """Length and number of the folds (users say windows) for a history of `steps` (at least 3).

    A fold is one horizon, but at most a third of the history; one that had to be shortened stays alone. Together they leave at
    least a third of the history, and two days of it, to the first training part:

        steps  horizon  requested
          336       24       3   →  3 folds of 24, the first trained on 264 steps
          336       72       3   →  3 folds of 72, the first trained on 120
          120       72       3   →  1 fold of 40, trained on 80: "5d" and "3d" at one hour
           30       24       3   →  1 fold of 6, trained on a whole day, so that the same hour yesterday is a candidate
    """
    day = two_days(step_seconds) // MIN_SEASONS
    third = max(1, min(steps // 3, steps - day) if steps > day else steps // 3)
    if horizon > third:
        return third, 1
    spare = min(2 * steps // 3, steps - two_days(step_seconds))
    return horizon, max(1, min(requested, spare // horizon))


def two_days(step_seconds: int) -> int:
    """Steps of the shortest history that shows a daily season."""
    return MIN_SEASONS * max(1, round(SECONDS_PER_DAY / step_seconds))
