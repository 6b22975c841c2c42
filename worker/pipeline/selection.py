"""Outcomes → winner: lowest MAPE, ties to a blend, else to the cheaper model, and the floor that a winner has to beat.

The order of the measures: MAPE; WAPE where more than half of the steps are zero and MAPE would speak of the others only; RMSE
where all are. The steps are those of the backtest and the same for all candidates, so one measure serves all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.cards import FLOOR
from shared.errors import UndefinedScore
from shared.forecasts import Candidate, Failure, Outcome, Score
from worker.pipeline.ensembles import blends_of

TIE_MARGIN = 0.1  # relative; closer than this on three windows is mostly noise

Ranking = Literal["mape", "wape", "rmse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The candidate whose forecast is written, all outcomes best first, and in one sentence why it is this one.

    members: what is fitted again to deliver the winner: the candidate itself, or those that it blends.
    """

    winner: Score
    members: tuple[Candidate, ...]
    leaderboard: tuple[Outcome, ...]
    explanation: str


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
    best, tied = _tied(scores, by)
    prices = {**costs, **dict.fromkeys(members, 0)}
    dearest = max(prices.values(), default=0) + 1
    winner = min(tied, key=lambda score: prices.get(score.candidate.model, dearest))  # the better one of equal price
    again = members.get(winner.candidate.model, (winner.candidate,))
    return Selection(winner=winner, members=again, leaderboard=board, explanation=_explanation(winner, best, scores, members, by))


def with_failure(outcomes: Sequence[Outcome], failure: Failure) -> list[Outcome]:
    """The outcomes with one more failure, of a winner that could not be fitted again: in its place, or of a blend at the end."""
    kept = [failure if outcome.candidate == failure.candidate else outcome for outcome in outcomes]
    return kept if failure in kept else [*kept, failure]


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


def _tied(scores: Sequence[Score], by: Ranking) -> tuple[Score, list[Score]]:
    """The best of those that beat the floor (the floor itself where none does), and all that are as good as it."""
    floor = next((score for score in scores if score.candidate == FLOOR), None)
    contenders = [score for score in scores if floor is None or score is floor or _value(score, by) < _value(floor, by)]
    limit = _value(contenders[0], by) * (1 + TIE_MARGIN)
    return contenders[0], [score for score in contenders if _value(score, by) <= limit]


def _value(score: Score, by: Ranking) -> float:
    value: float | None = getattr(score.measures, by)
    return float("inf") if value is None else value


def _shown(score: Score, by: Ranking) -> str:
    return f"{by.upper()} {_value(score, by):.4g}{'' if by == 'rmse' else ' %'}"


def _explanation(
    winner: Score, best: Score, scores: Sequence[Score], blends: Mapping[str, tuple[Candidate, ...]], by: Ranking
) -> str:
    def name(score: Score) -> str:
        members = [member.label for member in blends.get(score.candidate.model, ())]
        return f"{score.candidate.model} of {_listed(members)}" if members else score.candidate.label

    others = len(scores) - 1
    if not others:
        reason = f"{name(winner)} is the only candidate that could be scored: {_shown(winner, by)}"
    elif winner is not best:
        why = "as a blend errs less by chance" if winner.candidate.model in blends else "the cheaper model"
        reason = (
            f"{name(winner)} ({_shown(winner, by)}) is within {100 * TIE_MARGIN:.0f} % of the best, "
            f"{name(best)} ({_shown(best, by)}), and {why}"
        )
    elif winner.candidate == FLOOR:
        reason = f"None of {others} other candidates beats the seasonal naive, the same hour yesterday: {_shown(winner, by)}"
    else:
        reason = f"{name(winner)} is the best of {len(scores)} candidates: {_shown(winner, by)}"
    return reason + _why_not_mape(winner, by) + "."


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
