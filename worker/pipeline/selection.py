"""Outcomes → winner: lowest MAPE, ties to the cheaper model, and the floor that a winner has to beat.

The order of the measures: MAPE; WAPE where more than half of the steps are zero and MAPE would speak of the others only; RMSE
where all are. The steps are those of the backtest and the same for all candidates, so one measure serves all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.cards import FLOOR
from shared.errors import UndefinedScore
from shared.forecasts import Failure, Outcome, Score

TIE_MARGIN = 0.1  # relative; closer than this on three windows is mostly noise

Ranking = Literal["mape", "wape", "rmse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The candidate whose forecast is written, all outcomes best first, and in one sentence why it is this one."""

    winner: Score
    leaderboard: tuple[Outcome, ...]
    explanation: str


def choose(outcomes: Sequence[Outcome], costs: Mapping[str, int]) -> Selection:
    """Take the best candidate; when its refit fails, put a Failure in its place and choose again.

    Args:
        outcomes: of one queue, in the order of its candidates.
        costs: model → relative price of a fit; a model without one is dearest.

    Raises:
        UndefinedScore: no candidate could be scored; with the reasons.
    """
    board = leaderboard(outcomes)
    scores = [outcome for outcome in board if isinstance(outcome, Score)]
    if not scores:
        raise UndefinedScore(f"none of {len(board)} candidates could be scored: {_reasons(board)}")
    by = ranking(scores)
    floor = next((score for score in scores if score.candidate == FLOOR), None)
    contenders = [score for score in scores if floor is None or score is floor or _value(score, by) < _value(floor, by)]
    best = contenders[0]
    tied = [score for score in contenders if _value(score, by) <= _value(best, by) * (1 + TIE_MARGIN)]
    dearest = max(costs.values(), default=0) + 1
    winner = min(tied, key=lambda score: costs.get(score.candidate.model, dearest))  # the better one where the price is the same
    return Selection(winner=winner, leaderboard=board, explanation=_explanation(winner, best, scores, by))


def leaderboard(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """All outcomes: scores first, best before worse, equal ones in the order of the candidates; then the failures."""
    scores = [outcome for outcome in outcomes if isinstance(outcome, Score)]
    by = ranking(scores)
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    return (*sorted(scores, key=lambda score: _value(score, by)), *failures)


def ranking(scores: Sequence[Score]) -> Ranking:
    """The measure that these scores are compared by; see the module's docstring."""
    if all(score.measures.wape is None for score in scores):
        return "rmse"
    return "wape" if any(2 * score.measures.skipped_steps > score.measures.steps for score in scores) else "mape"


def _value(score: Score, by: Ranking) -> float:
    value: float | None = getattr(score.measures, by)
    return float("inf") if value is None else value


def _shown(score: Score, by: Ranking) -> str:
    return f"{by.upper()} {_value(score, by):.4g}{'' if by == 'rmse' else ' %'}"


def _explanation(winner: Score, best: Score, scores: Sequence[Score], by: Ranking) -> str:
    name, others = winner.candidate.label, len(scores) - 1
    if not others:
        reason = f"{name} is the only candidate that could be scored: {_shown(winner, by)}"
    elif winner is not best:
        reason = (
            f"{name} ({_shown(winner, by)}) is within {100 * TIE_MARGIN:.0f} % of the best, "
            f"{best.candidate.label} ({_shown(best, by)}), and the cheaper model"
        )
    elif winner.candidate == FLOOR:
        reason = f"None of {others} other candidates beats the seasonal naive, the same hour yesterday: {_shown(winner, by)}"
    else:
        reason = f"{name} is the best of {len(scores)} candidates: {_shown(winner, by)}"
    return reason + _why_not_mape(winner, by) + "."


def _why_not_mape(score: Score, by: Ranking) -> str:
    if by == "mape":
        return ""
    return f"; MAPE does not count, since {score.measures.skipped_steps} of {score.measures.steps} steps are zero"


def _reasons(board: Iterable[Outcome]) -> str:
    """Each reason once, with the first candidate that has it."""
    first = {outcome.reason: outcome.candidate.label for outcome in reversed([*board]) if isinstance(outcome, Failure)}
    return "; ".join(f"{label}: {reason}" for reason, label in reversed(first.items()))
