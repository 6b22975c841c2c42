"""Outcomes → winner, by the rule that the request wants.

All candidates of a queue are scored on the same steps, so one accuracy measure serves all of them: the one that is asked for,
where it says something of these steps (shared/domain/ranking.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.choice import Ranking, SelectionRule
from shared.domain.forecasts import Candidate, Failure, Outcome, Score, WindowForecast
from shared.domain.ranking import leaderboard, ranking
from shared.domain.recipes import Recipe
from shared.errors import UndefinedScore
from worker.pipeline.ensembles.blends import BLEND_WEIGHTED, blends_of
from worker.pipeline.ensembles.by_lead_time import BY_LEAD_TIME, by_lead_time
from worker.pipeline.ensembles.recipe import Composite, alone
from worker.pipeline.ensembles.tried import tried
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
    composites: names of the blends, and `by_lead_time`, that take part; one that has failed already does not.
    unranked: candidates that blends are made of and that cannot win by themselves, unless there is nothing else.
    every_steps: from the beginning of one window to that of the next; None = they lie side by side.
    """

    costs: Mapping[str, int] = field(default_factory=dict)
    composites: Collection[str] = ()
    unranked: Collection[Candidate] = ()
    every_steps: int | None = None
    step_seconds: int = 3_600
    rule: SelectionRule = SelectionRule.LOWEST_MAPE
    metric: Ranking = Ranking.MAPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The candidate whose forecast is written, all outcomes best first, and in one sentence why it is this one.

    recipe: of what the winner's forecast is made: the candidate itself, or those that it blends, all of which are fitted again.
    company: beside a single winner those of the weighted blend, which tell by where they disagree how far off it may be.
    singles: the scores of candidates that are no blends.
    by_fold: of the winner and of blends, by label, what tells how far off each fold's forecast may be: the winner's company, or
        what it is made of itself, learned on other folds.
    folds: what tells of the winner's misses, where it is not its own windows.
    searched_at: issue time of the search whose winner this is; None = it was chosen just now.
    """

    winner: Score
    recipe: Recipe
    leaderboard: tuple[Outcome, ...]
    explanation: str
    ranked_by: Ranking = Ranking.MAPE
    company: Recipe = ()
    singles: tuple[Score, ...] = ()
    by_fold: Mapping[str, Sequence[Recipe]] = field(default_factory=dict)
    folds: tuple[WindowForecast, ...] = ()
    searched_at: datetime | None = None


def choose(outcomes: Sequence[Outcome], terms: Terms) -> Selection:
    """Take the best candidate; when its refit fails, choose again `with_failure`.

    Args:
        outcomes: of one queue, in the order of its candidates.

    Raises:
        UndefinedScore: no candidate could be scored; with the reasons.
    """
    singles = [outcome for outcome in outcomes if isinstance(outcome, Score)]
    if not singles:
        raise UndefinedScore(f"none of {len(outcomes)} candidates could be scored: {_reasons(outcomes)}")
    made = _composites(singles, terms, {outcome.candidate.model for outcome in outcomes if isinstance(outcome, Failure)})
    recipes = {each.score.candidate.model: each.recipe for each in made}
    ranked = _ranked(outcomes, made, terms.unranked)
    board = leaderboard(ranked, terms.metric, price=lambda score: price_of(score, recipes, terms.costs))
    scores = [outcome for outcome in board if isinstance(outcome, Score)]
    shown = Board(scores=scores, by=ranking(scores, terms.metric), asked=terms.metric, recipes=recipes, costs=terms.costs)
    winner, why = RULES[terms.rule](shown)
    return Selection(
        winner=winner,
        recipe=recipes.get(winner.candidate.model) or alone(winner.candidate),
        leaderboard=board,
        explanation=f"{why}{shown.about_measure}.",
        ranked_by=shown.by,
        company=() if winner.candidate.model in recipes else recipes.get(BLEND_WEIGHTED, ()),
        singles=tuple(singles),
        by_fold=_by_fold(winner, made),
    )


def _ranked(outcomes: Sequence[Outcome], made: Sequence[Composite], unranked: Collection[Candidate]) -> Sequence[Outcome]:
    """What is on the leaderboard: failures, too, and those that cannot win where there is nothing else."""
    ranked = [outcome for outcome in outcomes if isinstance(outcome, Failure) or outcome.candidate not in unranked]
    everyone = (*ranked, *(each.score for each in made))
    return outcomes if all(isinstance(outcome, Failure) for outcome in everyone) else everyone


def _by_fold(winner: Score, made: Sequence[Composite]) -> dict[str, Sequence[Recipe]]:
    found: dict[str, Sequence[Recipe]] = {each.score.candidate.label: each.by_fold for each in made}
    company = next((each.by_fold for each in made if each.score.candidate.model == BLEND_WEIGHTED), None)
    return {winner.candidate.label: company or [alone(winner.candidate)] * len(winner.windows), **found}


def _composites(singles: Sequence[Score], terms: Terms, failed: Collection[str]) -> list[Composite]:
    """The candidates made of these that take part."""
    asked = set(terms.composites) - set(failed)
    if not asked or not singles[0].windows:
        return []
    known = tried(singles, ranking(singles, terms.metric), terms.every_steps)
    made = [*blends_of(known, asked, terms.step_seconds)]
    chosen = by_lead_time(known, made, terms.step_seconds) if BY_LEAD_TIME in asked else None
    return [*made, chosen] if chosen else made


def with_failure(outcomes: Sequence[Outcome], failure: Failure) -> list[Outcome]:
    """The outcomes with one more failure, of a winner that could not be fitted again: in its place, or of a blend at the end."""
    kept = [failure if outcome.candidate == failure.candidate else outcome for outcome in outcomes]
    return kept if failure in kept else [*kept, failure]


def _reasons(board: Iterable[Outcome]) -> str:
    """Each reason once, with the first candidate that has it."""
    first = {outcome.reason: outcome.candidate.label for outcome in reversed([*board]) if isinstance(outcome, Failure)}
    return "; ".join(f"{label}: {reason}" for reason, label in reversed(first.items()))
