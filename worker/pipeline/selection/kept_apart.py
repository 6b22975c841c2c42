"""A fold that takes no part in the choice, so that the score which people are shown is not the one that was picked.

    folds      1   2   3   4            fewer than four
               └─ choose ┘  └─ report   └─ choose and report ┘

Of many candidates the best was also lucky on the folds it was picked on: its error there is too small, with three folds by a
tenth. The newest fold, which did not take part, is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.forecasts import Candidate, Outcome, Score, WindowForecast
from shared.domain.reports import ReportedScore
from worker.models.base import FloatArray
from worker.pipeline.ensembles.recipe import Recipe, combined
from worker.pipeline.measures import measured, prediction_of
from worker.pipeline.selection.choose import Selection, Terms, choose

MIN_FOLDS = 4  # of which the newest can be kept apart


def choose_and_report(outcomes: Sequence[Outcome], terms: Terms) -> Selection:
    """`choose` on all folds but the newest, where there are four; the winner has the measures of the newest, and all folds.

    Args and errors are those of `choose`; the leaderboard shows what the choice was made by.
    """
    scores = [outcome for outcome in outcomes if isinstance(outcome, Score)]
    if not scores or len(scores[0].windows) < MIN_FOLDS:
        return choose(outcomes, terms)
    like = [*zip(*(score.windows for score in scores), strict=True)]
    older = [_without_newest(outcome, like[:-1]) if isinstance(outcome, Score) else outcome for outcome in outcomes]
    selection = choose(older, terms)
    newest = _newest(selection.recipe, scores)
    winner = replace(selection.winner, windows=(*selection.winner.windows, newest), measures=newest.measures)
    return replace(selection, winner=winner, reported=ReportedScore.KEPT_APART)


def _without_newest(score: Score, like: Sequence[Sequence[WindowForecast]]) -> Score:
    older = score.windows[:-1]
    return replace(score, windows=older, measures=measured(older, like))


def _newest(recipe: Recipe, scores: Sequence[Score]) -> WindowForecast:
    """The newest fold of the winner, forecast by all that it is made of."""
    newest = [score.windows[-1] for score in scores]

    def forecast_of(candidate: Candidate) -> FloatArray:
        return next(prediction_of(score.windows[-1]) for score in scores if score.candidate == candidate)

    fold = replace(newest[0], prediction=tuple(combined(recipe, forecast_of).tolist()))
    return replace(fold, measures=measured([fold], [newest]))
