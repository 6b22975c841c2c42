"""Outcomes → winner, by the rule that the request wants.

All candidates of a queue are scored on the same steps, so one accuracy measure serves all of them: the one that is asked for,
where it says something of these steps (shared/domain/ranking.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.choice import Ranking, SelectionRule
from shared.domain.forecasts import Failure, Outcome, Score
from shared.domain.ranking import leaderboard, ranking
from shared.domain.reports import ReportedScore
from shared.errors import UndefinedScore
from worker.pipeline.ensembles import Member, blends_of
from worker.pipeline.selection.board import Board, price_of
from worker.pipeline.selection.lowest import lowest
from worker.pipeline.selection.robust import robust

RULES: Mapping[SelectionRule, Callable[[Board], tuple[Score, str]]] = {
    SelectionRule.LOWEST_MAPE: lowest,
    SelectionRule.ROBUST: robust,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a winner is chosen.

    costs: model → relative price of a fit; a model without one is dearest.
    blends: names of those that take part; one that has failed already does not.
    """

    costs: Mapping[str, int] = field(default_factory=dict)
    blends: Collection[str] = ()
    rule: SelectionRule = SelectionRule.LOWEST_MAPE
    metric: Ranking = Ranking.MAPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The candidate whose forecast is written, all outcomes best first, and in one sentence why it is this one.

    members: what is fitted again to deliver the winner: the candidate itself, or those that it blends.
    """

    winner: Score
    members: tuple[Member, ...]
    leaderboard: tuple[Outcome, ...]
    explanation: str
    ranked_by: Ranking = Ranking.MAPE
    reported: ReportedScore = ReportedScore.SELECTED_ON


def choose(outcomes: Sequence[Outcome], terms: Terms) -> Selection:
    """Take the best candidate; when its refit fails, choose again `with_failure`.

    Args:
        outcomes: of one queue, in the order of its candidates.

    Raises:
        UndefinedScore: no candidate could be scored; with the reasons.
    """
    singles = [outcome for outcome in leaderboard(outcomes, terms.metric) if isinstance(outcome, Score)]
    if not singles:
        raise UndefinedScore(f"none of {len(outcomes)} candidates could be scored: {_reasons(outcomes)}")
    failed = {outcome.candidate.model for outcome in outcomes if isinstance(outcome, Failure)}
    made = blends_of(singles, set(terms.blends) - failed)
    members = {blend.score.candidate.model: blend.members for blend in made}
    everyone = (*outcomes, *(blend.score for blend in made))
    board = leaderboard(everyone, terms.metric, price=lambda score: price_of(score, members, terms.costs))
    scores = [outcome for outcome in board if isinstance(outcome, Score)]
    shown = Board(scores=scores, by=ranking(scores, terms.metric), asked=terms.metric, members=members, costs=terms.costs)
    winner, why = RULES[terms.rule](shown)
    return Selection(
        winner=winner,
        members=members.get(winner.candidate.model, (Member(candidate=winner.candidate),)),
        leaderboard=board,
        explanation=f"{why}{shown.about_measure}.",
        ranked_by=shown.by,
    )


def with_failure(outcomes: Sequence[Outcome], failure: Failure) -> list[Outcome]:
    """The outcomes with one more failure, of a winner that could not be fitted again: in its place, or of a blend at the end."""
    kept = [failure if outcome.candidate == failure.candidate else outcome for outcome in outcomes]
    return kept if failure in kept else [*kept, failure]


def _reasons(board: Iterable[Outcome]) -> str:
    """Each reason once, with the first candidate that has it."""
    first = {outcome.reason: outcome.candidate.label for outcome in reversed([*board]) if isinstance(outcome, Failure)}
    return "; ".join(f"{label}: {reason}" for reason, label in reversed(first.items()))
