"""The order of the outcomes of a queue: the leaderboard that is kept and shown."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Literal

from shared.domain.forecasts import Failure, Measures, Outcome, Score

Ranking = Literal["mape", "wape", "rmse"]


def leaderboard(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """All outcomes: scores first, best before worse, equal ones in the order of the candidates; then the failures."""
    scores = [outcome for outcome in outcomes if isinstance(outcome, Score)]
    by = ranking(scores)
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    return (*sorted(scores, key=lambda score: value(score, by)), *failures)


def ranking(scores: Sequence[Score]) -> Ranking:
    """What these scores are compared by: MAPE; WAPE where more than half of the steps are zero; RMSE where all are."""
    if all(score.measures.wape is None for score in scores):
        return "rmse"
    return "wape" if any(2 * score.measures.skipped_steps > score.measures.steps for score in scores) else "mape"


def value(score: Score, by: Ranking) -> float:
    """The measure of a score; infinite where it is not defined."""
    return measure(score.measures, by)


def measure(measures: Measures, by: Ranking) -> float:
    """The one of these measures; infinite where it is not defined."""
    value: float | None = getattr(measures, by)
    return inf if value is None else value
