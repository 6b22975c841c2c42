"""What a rule of choice looks at: the scores of a queue, best first, and how each of them is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.choice import Ranking
from shared.domain.forecasts import Score
from shared.domain.recipes import Recipe
from shared.domain.search_space import REFERENCE
from worker.pipeline.ensembles.recipe import candidates_in

MAX_MEMBERS_NAMED = 4  # members of a blend; of more only the first is named


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The scores of a queue, all on the same steps.

    scores: best first, at least one. by: what they are compared by. asked: what the request wants them compared by.
    recipes: of each of them that is made of others.
    costs: model → relative price of a fit; a model without one is dearest.
    """

    scores: Sequence[Score]
    by: Ranking
    asked: Ranking
    recipes: Mapping[str, Recipe]
    costs: Mapping[str, int]

    @property
    def reference(self) -> Score | None:
        """That of the reference forecast, where it is among them."""
        return next((score for score in self.scores if score.candidate == REFERENCE), None)

    def value(self, score: Score) -> float:
        """What it is compared by; infinite where that is not defined."""
        return score.measures.by(self.by)

    def shown(self, score: Score, by: Ranking | None = None) -> str:
        """`MAPE 7.90 %`."""
        measure = by or self.by
        return f"{measure.upper()} {measure.text(score.measures.by(measure))}"

    def name(self, score: Score) -> str:
        """The candidate, and what it is made of."""
        labels = [candidate.label for candidate in candidates_in(self.recipes.get(score.candidate.model, ()))]
        if not labels:
            return score.candidate.label
        few = len(labels) <= MAX_MEMBERS_NAMED
        return f"{score.candidate.model} of {_listed(labels) if few else f'{len(labels)} candidates, most of all {labels[0]}'}"

    @property
    def about_measure(self) -> str:
        """Why they are compared by something else than was asked for; empty = they are not."""
        if self.by is self.asked:
            return ""
        measures = self.scores[0].measures
        if self.asked is Ranking.MASE:
            return "; MASE is not defined here"
        if self.by is Ranking.RMSE:
            return f"; {self.asked.upper()} says nothing, since all {measures.steps} steps are zero"
        count = max(measures.skipped_steps, measures.near_zero_steps)
        return f"; MAPE says little, since {count} of {measures.steps} steps are near zero"


def price_of(score: Score, recipes: Mapping[str, Recipe], costs: Mapping[str, int]) -> float:
    """Relative price of a fit; of what is made of others, that of all of them."""
    dearest = max(costs.values(), default=0) + 1
    fitted = candidates_in(recipes.get(score.candidate.model, ())) or (score.candidate,)
    return sum(costs.get(candidate.model, dearest) for candidate in fitted)


def _listed(names: Sequence[str]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1]))
