"""The robust rule: a blend unless something is much better, near ties to the cheaper model, no other worse than the reference.

The reference forecast is beaten by WAPE, as in `skill`: one step near zero may be most of a MAPE. A blend need not beat it in the
backtest, where it has fewer folds to learn from than it will have: while it had to, 0.68 of the seasonal naive's WAPE at 24 steps
on the tuning half of tests/bench/forecast.py, now 0.65.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from shared.domain.choice import Ranking
from shared.domain.forecasts import Score
from shared.domain.search_space import REFERENCE
from worker.pipeline.ensembles.blends import BLENDS
from worker.pipeline.selection.board import Board

TIE_MARGIN = 0.1  # relative; closer than this on three folds is mostly noise

# A blend gives way to what is so much better in all and better in each of several folds: 0.805 and 0.816 of the seasonal
# naive's WAPE at 24 and 72 steps, on the tuning half of tests/bench/forecast.py. With a tenth in all alone: 0.853 and 0.887. With
# one fold only, a candidate that is so much better: 0.822 and 0.882, the blend in any case: 0.803 and 0.835.
BLEND_MARGIN = 0.3


def robust(board: Board) -> tuple[Score, str]:
    """Of those that are as good as the best, for all that the backtest can tell, a blend, else the cheapest."""
    contenders = _contenders(board)
    tied = [score for score in contenders if _is_tied(score, contenders[0], board)]
    prices = {**board.costs, **{name: place - len(BLENDS) for place, name in enumerate(BLENDS)}}  # a blend before all else
    dearest = max(prices.values()) + 1
    winner = min(tied, key=lambda score: prices.get(score.candidate.model, dearest))  # the better one of equal price
    return winner, _why(winner, contenders, board)


def _contenders(board: Board) -> list[Score]:
    """The reference forecast, those that beat it, and the blends, best first."""
    reference, against = board.reference, _reference_measure(board.by)
    return [
        score
        for score in board.scores
        if reference is None
        or score is reference
        or score.candidate.model in BLENDS
        or score.measures.by(against) < reference.measures.by(against)
    ]


def _reference_measure(by: Ranking) -> Ranking:
    return Ranking.RMSE if by is Ranking.RMSE else Ranking.WAPE


def _is_tied(score: Score, best: Score, board: Board) -> bool:
    """Whether a score is as good as the best, for all that the backtest can tell."""
    if score.candidate.model not in BLENDS:
        return board.value(score) <= board.value(best) * (1 + TIE_MARGIN)
    is_much_worse = board.value(score) > board.value(best) * (1 + BLEND_MARGIN)
    folds = [(own.measures.by(board.by), its.measures.by(board.by)) for own, its in zip(score.windows, best.windows, strict=True)]
    return not (is_much_worse and len(folds) > 1 and all(its < own for own, its in folds if own < inf))


def _why(winner: Score, contenders: Sequence[Score], board: Board) -> str:
    best, scores = contenders[0], board.scores
    name, shown = board.name(winner), board.shown(winner)
    if len(scores) == 1:
        return f"{name} is the only candidate that could be scored: {shown}"
    if len(contenders) == 1 and winner.candidate == REFERENCE:
        reference = board.shown(winner, _reference_measure(board.by))
        return f"None of {len(scores) - 1} other candidates beats the seasonal naive, the same hour yesterday: {reference}"
    if winner is best and best is not scores[0]:
        return f"{name} is the best of the candidates that beat the seasonal naive by WAPE: {shown}"
    if winner is best:
        return f"{name} is the best of {len(scores)} candidates: {shown}"
    if winner.candidate.model in BLENDS:
        return (
            f"{name} ({shown}) is taken, as a blend errs less by chance: the best, {board.name(best)} ({board.shown(best)}), "
            f"is not {100 * BLEND_MARGIN:.0f} % better in all and better in each of several windows"
        )
    return (
        f"{name} ({shown}) is within {100 * TIE_MARGIN:.0f} % of the best, {board.name(best)} ({board.shown(best)}), "
        "and the cheaper model"
    )
