"""The score that people are shown is not the one that the winner was picked by, where there are folds enough.

    folds      1   2   3   4            fewer than four
               └─ choose ┘  └─ report   └─ choose and report ┘

Of many candidates the best was also lucky on the folds it was picked on: its error there is too small, with three folds by a
tenth. The newest fold, which did not take part, is not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from shared.domain.forecasts import Outcome, Score, WindowForecast
from shared.domain.reports import ReportedScore
from shared.domain.search_space import REFERENCE
from worker.pipeline.ensembles import Member, blended
from worker.pipeline.measures import measured, prediction_of
from worker.pipeline.selection import Selection, choose

MIN_FOLDS = 4


def choose_and_report(outcomes: Sequence[Outcome], costs: Mapping[str, int], blends: Collection[str] = ()) -> Selection:
    """`choose` on all folds but the newest, where there are four; the winner has the measures of the newest, and all folds.

    Args and errors are those of `choose`. The leaderboard shows what the choice was made by.
    """
    scores = [outcome for outcome in outcomes if isinstance(outcome, Score)]
    if not scores or len(scores[0].windows) < MIN_FOLDS:
        return choose(outcomes, costs, blends)
    reference = next((score for score in scores if score.candidate == REFERENCE), None)
    older = [_without_newest(outcome, reference) if isinstance(outcome, Score) else outcome for outcome in outcomes]
    selection = choose(older, costs, blends)
    newest = _newest(selection.members, scores, reference)
    winner = replace(selection.winner, windows=(*selection.winner.windows, newest), measures=newest.measures)
    return replace(selection, winner=winner, reported=ReportedScore.KEPT_APART)


def _without_newest(score: Score, reference: Score | None) -> Score:
    older = score.windows[:-1]
    return replace(score, windows=older, measures=measured(older, reference.windows[:-1] if reference else (), like=older))


def _newest(members: Sequence[Member], scores: Sequence[Score], reference: Score | None) -> WindowForecast:
    """The newest fold of the winner, forecast by all its members."""
    theirs = [score.windows[-1] for member in members for score in scores if score.candidate == member.candidate]
    prediction = blended([prediction_of(fold) for fold in theirs], [member.weight for member in members])
    fold = replace(theirs[0], prediction=tuple(prediction.tolist()))
    return replace(fold, measures=measured([fold], reference.windows[-1:] if reference else (), like=theirs[:1]))
