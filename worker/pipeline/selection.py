"""Outcomes → winner: lowest MAPE, ties to a blend, else to the cheaper model; and it has to beat the reference forecast.

The order of the accuracy measures: MAPE; WAPE where more than half of the steps are zero and MAPE would speak of the others only;
RMSE where all are. The steps are those of the backtest and the same for all candidates, so one measure serves all of them. The
reference forecast is beaten by WAPE, as in `skill`: one step near zero may be most of a MAPE.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from shared.domain.forecasts import Failure, Outcome, Ranking, Score, WindowForecast, leaderboard, ranking
from shared.domain.reports import ReportedScore
from shared.domain.search_space import REFERENCE
from shared.errors import UndefinedScore
from worker.pipeline.ensembles import BLENDS, Member, blended, blends_of
from worker.pipeline.measures import measured, prediction_of

TIE_MARGIN = 0.1  # relative; closer than this on three folds is mostly noise

# A blend gives way to what is so much better in all and better in each of several folds: 0.805 and 0.816 of the seasonal
# naive's WAPE at 24 and 72 steps, on the tuning half of tests/bench/forecast.py. With a tenth in all alone: 0.853 and 0.887. With
# one fold only, a candidate that is so much better: 0.822 and 0.882, the blend in any case: 0.803 and 0.835.
BLEND_MARGIN = 0.3

MAX_MEMBERS_NAMED = 4  # members of a blend; of more only the first is named
MIN_FOLDS = 4  # of which the newest can be kept apart, to report the winner's score on


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The candidate whose forecast is written, all outcomes best first, and in one sentence why it is this one.

    members: what is fitted again to deliver the winner: the candidate itself, or those that it blends.
    """

    winner: Score
    members: tuple[Member, ...]
    leaderboard: tuple[Outcome, ...]
    explanation: str
    reported: ReportedScore = ReportedScore.SELECTED_ON


def choose(outcomes: Sequence[Outcome], costs: Mapping[str, int], blends: Collection[str] = ()) -> Selection:
    """Take the best candidate; when its refit fails, choose again `with_failure`.

    Args:
        outcomes: of one queue, in the order of its candidates.
        costs: model → relative price of a fit; a model without one is dearest.
        blends: names of those that take part; one that has failed already does not.

    Raises:
        UndefinedScore: no candidate could be scored; with the reasons.
    """
    singles = [outcome for outcome in leaderboard(outcomes) if isinstance(outcome, Score)]
    if not singles:
        raise UndefinedScore(f"none of {len(outcomes)} candidates could be scored: {_reasons(outcomes)}")
    failed = {outcome.candidate.model for outcome in outcomes if isinstance(outcome, Failure)}
    made = blends_of(singles, set(blends) - failed)
    members = {blend.score.candidate.model: blend.members for blend in made}
    board = leaderboard((*outcomes, *(blend.score for blend in made)))
    scores = [outcome for outcome in board if isinstance(outcome, Score)]
    by = ranking(scores)
    contenders = _contenders(scores, by)
    tied = [score for score in contenders if _is_tied(score, contenders[0], by, is_blend=score.candidate.model in members)]
    prices = {**costs, **{name: place - len(BLENDS) for place, name in enumerate(BLENDS)}}  # a blend before all else
    dearest = max(prices.values()) + 1
    winner = min(tied, key=lambda score: prices.get(score.candidate.model, dearest))  # the better one of equal price
    again = members.get(winner.candidate.model, (Member(candidate=winner.candidate),))
    explanation = _explanation(winner, scores, contenders, members, by)
    return Selection(winner=winner, members=again, leaderboard=board, explanation=explanation)


def choose_and_report(outcomes: Sequence[Outcome], costs: Mapping[str, int], blends: Collection[str] = ()) -> Selection:
    """`choose` on all folds but the newest, where there are four; the winner has the measures of the newest, and all folds.

        folds      1   2   3   4            fewer than four
                   └─ choose ┘  └─ report   └─ choose and report ┘

    Of many candidates the best was also lucky on the folds it was picked on: its error there is too small, with three folds by a
    tenth. The newest fold, which did not take part, is not. Args and errors are those of `choose`; the leaderboard shows what
    the choice was made by.
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


def with_failure(outcomes: Sequence[Outcome], failure: Failure) -> list[Outcome]:
    """The outcomes with one more failure, of a winner that could not be fitted again: in its place, or of a blend at the end."""
    kept = [failure if outcome.candidate == failure.candidate else outcome for outcome in outcomes]
    return kept if failure in kept else [*kept, failure]


def _without_newest(score: Score, reference: Score | None) -> Score:
    older = score.windows[:-1]
    return replace(score, windows=older, measures=measured(older, reference.windows[:-1] if reference else (), like=older))


def _newest(members: Sequence[Member], scores: Sequence[Score], reference: Score | None) -> WindowForecast:
    """The newest fold of the winner, forecast by all its members."""
    theirs = [score.windows[-1] for member in members for score in scores if score.candidate == member.candidate]
    prediction = blended([prediction_of(fold) for fold in theirs], [member.weight for member in members])
    fold = replace(theirs[0], prediction=tuple(prediction.tolist()))
    return replace(fold, measures=measured([fold], reference.windows[-1:] if reference else (), like=theirs[:1]))


def _contenders(scores: Sequence[Score], by: Ranking) -> list[Score]:
    """The reference forecast and those that beat it, best first."""
    reference = next((score for score in scores if score.candidate == REFERENCE), None)
    against = _reference_measure(by)
    return [s for s in scores if reference is None or s is reference or s.measures.by(against) < reference.measures.by(against)]


def _reference_measure(by: Ranking) -> Ranking:
    return "rmse" if by == "rmse" else "wape"


def _is_tied(score: Score, best: Score, by: Ranking, *, is_blend: bool) -> bool:
    """Whether a score is as good as the best, for all that the backtest can tell."""
    if not is_blend:
        return score.measures.by(by) <= best.measures.by(by) * (1 + TIE_MARGIN)
    is_much_worse = score.measures.by(by) > best.measures.by(by) * (1 + BLEND_MARGIN)
    folds = [(own.measures.by(by), its.measures.by(by)) for own, its in zip(score.windows, best.windows, strict=True)]
    return not (is_much_worse and len(folds) > 1 and all(its < own for own, its in folds if own < inf))


def _shown(score: Score, by: Ranking) -> str:
    return f"{by.upper()} {score.measures.by(by):.3g}{'' if by == 'rmse' else ' %'}"


def _explanation(
    winner: Score, scores: Sequence[Score], contenders: Sequence[Score], blends: Mapping[str, tuple[Member, ...]], by: Ranking
) -> str:
    best, name, shown = contenders[0], _name(winner, blends), _shown(winner, by)
    if len(scores) == 1:
        reason = f"{name} is the only candidate that could be scored: {shown}"
    elif len(contenders) == 1 and winner.candidate == REFERENCE:
        reference = _shown(winner, _reference_measure(by))
        reason = f"None of {len(scores) - 1} other candidates beats the seasonal naive, the same hour yesterday: {reference}"
    elif winner is best and best is not scores[0]:
        reason = f"{name} is the best of the candidates that beat the seasonal naive by WAPE: {shown}"
    elif winner is best:
        reason = f"{name} is the best of {len(scores)} candidates: {shown}"
    elif winner.candidate.model in blends:
        reason = (
            f"{name} ({shown}) is taken, as a blend errs less by chance: the best, {_name(best, blends)} ({_shown(best, by)}), "
            f"is not {100 * BLEND_MARGIN:.0f} % better in all and better in each of several windows"
        )
    else:
        reason = (
            f"{name} ({shown}) is within {100 * TIE_MARGIN:.0f} % of the best, {_name(best, blends)} ({_shown(best, by)}), "
            "and the cheaper model"
        )
    return reason + _why_not_mape(winner, by) + "."


def _name(score: Score, blends: Mapping[str, tuple[Member, ...]]) -> str:
    labels = [member.candidate.label for member in blends.get(score.candidate.model, ())]
    if not labels:
        return score.candidate.label
    made_of = _listed(labels) if len(labels) <= MAX_MEMBERS_NAMED else f"{len(labels)} candidates, most of all {labels[0]}"
    return f"{score.candidate.model} of {made_of}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1]))


def _why_not_mape(score: Score, by: Ranking) -> str:
    if by == "mape":
        return ""
    return f"; MAPE does not count, since {score.measures.skipped_steps} of {score.measures.steps} steps are zero"


def _reasons(board: Iterable[Outcome]) -> str:
    """Each reason once, with the first candidate that has it."""
    first = {outcome.reason: outcome.candidate.label for outcome in reversed([*board]) if isinstance(outcome, Failure)}
    return "; ".join(f"{label}: {reason}" for reason, label in reversed(first.items()))
