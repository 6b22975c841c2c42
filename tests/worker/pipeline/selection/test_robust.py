"""The robust rule: `"selection": "robust"` of a request."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from shared.domain.choice import SelectionRule
from shared.domain.forecasts import Candidate, Outcome
from shared.domain.search_space import REFERENCE
from tests.worker.pipeline.selection.outcomes import (
    A_REFERENCE,
    TOP3,
    a_failure,
    a_floor,
    a_reference_try,
    a_score,
    a_try,
    choose,
)
from worker.pipeline.ensembles.blends import BLENDS
from worker.pipeline.ensembles.recipe import alone
from worker.pipeline.ensembles.weighted import MEMBERS
from worker.pipeline.selection.choose import Selection


def robust(outcomes: Sequence[Outcome], blends: Collection[str] = ()) -> Selection:
    return choose(outcomes, blends, rule=SelectionRule.ROBUST)


# rule → outcomes, the winner's model, and what is said of it
CHOICES: dict[str, tuple[list[Outcome], str, str]] = {
    "the lowest MAPE wins": (
        [a_floor(20.0), a_score("var", 9.0), a_score("prophet", 5.0)],
        "prophet",
        "prophet is the best of 3 candidates: MAPE 5.00 %.",
    ),
    "a tie goes to the cheaper model": (
        [a_floor(20.0), a_score("hour_mean", 10.9), a_score("lstm", 10.0), a_score("prophet", 10.5)],
        "hour_mean",
        "hour_mean (MAPE 10.90 %) is within 10 % of the best, lstm (MAPE 10.00 %), and the cheaper model.",
    ),
    "no tie beyond a tenth": ([a_floor(20.0), a_score("hour_mean", 11.01), a_score("lstm", 10.0)], "lstm", ""),
    "a model of unknown price is the dearest": ([a_score("novelty", 10.0), a_score("lstm", 10.9)], "lstm", ""),
    "a winner must beat the seasonal naive": (
        [a_score("last_value", 10.0), a_floor(10.0), a_score("var", 12.0)],
        "seasonal_naive",
        "None of 2 other candidates beats the seasonal naive, the same hour yesterday: WAPE 10.00 %.",
    ),
    # one step near zero makes most of a MAPE: a candidate that is better everywhere else has beaten the floor
    "the floor is beaten by WAPE": (
        [a_floor(20.0, wape=20.0), a_score("last_value", 12.0, wape=25.0), a_score("var", 14.0, wape=8.0)],
        "var",
        "var is the best of the candidates that beat the seasonal naive by WAPE: MAPE 14.00 %.",
    ),
    "a cheap candidate worse than the floor does not profit from a tie": (
        [a_score("last_value", 10.8), a_floor(10.6), a_score("lstm", 10.0)],
        "seasonal_naive",
        "",
    ),
    "without a score of the floor the best wins": ([a_score("last_value", 50.0), a_failure("seasonal_naive")], "last_value", ""),
    "another season is not the floor": ([a_score("seasonal_naive", 10.0, {"days": 7}), a_score("var", 5.0)], "var", ""),
}


@pytest.mark.parametrize(("outcomes", "winner", "explanation"), CHOICES.values(), ids=CHOICES)
def test_of_the_candidates_that_were_scored_one_is_chosen(outcomes: list[Outcome], winner: str, explanation: str) -> None:
    selection = robust(outcomes)
    assert selection.winner.candidate.model == winner
    assert explanation in selection.explanation


def test_of_several_blends_the_weighted_one_is_preferred() -> None:
    tries = [a_try("theta", 9, 1, 1, 1), a_try("ces", 2, 9, 2, 2), a_try("last_value", 3, 3, 9, 3)]
    selection = robust([A_REFERENCE, *tries], BLENDS)
    assert selection.winner.candidate.model == "blend_weighted"
    weights = [member.weight for member in selection.recipe[0].members]
    assert weights == sorted(weights, reverse=True)


def test_a_blend_of_many_names_its_heaviest_member() -> None:
    tries = [
        a_try(each.model, 5, 5, 5, 5 + extra, hyperparameters=dict(each.hyperparameters))
        for extra, each in enumerate(MEMBERS[2:7])
    ]
    selection = robust([A_REFERENCE, *tries], BLENDS)
    assert selection.explanation.startswith("blend_weighted of 5 candidates, most of all seasonal_naive days=7")


def test_of_equally_cheap_candidates_in_a_tie_the_better_wins_and_then_the_first() -> None:
    first, second, third = (a_score("var", mape, {"criterion": name}) for mape, name in ((10.5, "a"), (10.0, "b"), (10.0, "c")))
    assert robust([first, second, third, a_score("lstm", 9.9)]).winner is second


def test_a_tie_goes_to_the_blend_before_it_goes_to_the_cheaper_model() -> None:
    tries = [a_try("last_value", 10, 10, 10, 10), a_try("theta", 12, 12, 12, 12), a_try("var", 13, 13, 13, 13)]
    selection = robust([A_REFERENCE, *tries], TOP3)
    assert selection.winner.candidate.model == "blend_top3"
    assert selection.explanation == (
        "blend_top3 of last_value, theta and var (MAPE 12.00 %) is taken, as a blend errs less by chance: the best, "
        "last_value (MAPE 10.00 %), is not 30 % better in all and better in each of several windows."
    )


TWICE_AS_GOOD = [a_try("theta", 4, 4, 4, 4), a_try("prophet", 9, 9, 9, 9), a_try("var", 9, 9, 9, 9)]


def test_what_is_much_better_than_the_blend_in_every_window_wins() -> None:
    selection = robust([A_REFERENCE, *TWICE_AS_GOOD], TOP3)
    assert selection.winner.candidate.model == "theta"
    assert selection.recipe == alone(Candidate(model="theta"))
    assert selection.explanation == "theta is the best of 5 candidates: MAPE 4.00 %."


def test_what_is_much_better_in_all_but_worse_in_one_window_loses_to_the_blend() -> None:
    best, *others = TWICE_AS_GOOD
    worse = replace(best.windows[0], measures=replace(best.measures, mape=9.5))
    unsteady = replace(best, windows=(best.windows[0], worse))
    assert robust([A_REFERENCE, unsteady, *others], TOP3).winner.candidate.model == "blend_top3"


def test_one_window_proves_nothing_against_a_blend() -> None:
    tries = [replace(each, windows=each.windows[:1]) for each in TWICE_AS_GOOD]
    assert robust([a_reference_try(windows=1), *tries], TOP3).winner.candidate.model == "blend_top3"


def test_a_blend_that_is_much_worse_than_the_floor_does_not_win() -> None:
    tries = [a_try("theta", 30, 30, 30, 30), a_try("prophet", 40, 40, 40, 40)]
    selection = robust([A_REFERENCE, *tries], TOP3)
    assert selection.winner.candidate == REFERENCE
    assert selection.explanation.startswith("seasonal_naive days=1 is the best of 4 candidates: MAPE 20.00 %")


def test_a_blend_that_is_a_little_worse_than_the_floor_wins() -> None:
    tries = [a_try("theta", 23, 23, 23, 23), a_try("prophet", 24, 24, 24, 24)]
    assert robust([A_REFERENCE, *tries], TOP3).winner.candidate.model == "blend_top3"
