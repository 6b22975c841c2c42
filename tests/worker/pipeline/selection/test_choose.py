from __future__ import annotations

from typing import Any

import pytest

from shared.domain.choice import Ranking
from shared.domain.forecasts import Failure, Outcome
from shared.domain.ranking import leaderboard
from shared.errors import UndefinedScore
from tests.worker.pipeline.selection.outcomes import (
    A_REFERENCE,
    ALL_ZERO,
    HALF_ZERO,
    MORE_ZERO,
    ONE_EACH,
    TOP3,
    a_failure,
    a_floor,
    a_score,
    choose,
)
from worker.pipeline.ensembles.recipe import candidates_in
from worker.pipeline.selection.choose import with_failure

# rule → outcomes, the winner's model, and what is said of it; what else the terms say comes last
CHOICES: dict[str, tuple[list[Outcome], str, str, dict[str, Any]]] = {
    "the lowest MAPE wins, however little lower it is": (
        [a_floor(20.0), a_score("hour_mean", 5.01), a_score("lstm", 5.0)],
        "lstm",
        "lstm has the lowest MAPE of 3 candidates: 5.00 %; next is hour_mean with 5.01 %.",
        {},
    ),
    "equal in all printed digits the cheaper wins": (
        [a_score("lstm", 9.999), a_score("prophet", 10.001), a_floor(20.0)],
        "prophet",
        "prophet has the lowest MAPE of 3 candidates: 10.00 %; lstm has the same and is not cheaper.",
        {},
    ),
    "a model of unknown price is the dearest": ([a_score("novelty", 10.0), a_score("lstm", 10.0)], "lstm", "", {}),
    "a baseline wins as any other": ([a_score("last_value", 10.0), a_floor(10.5)], "last_value", "next is seasonal_naive", {}),
    "nothing has to be beaten but the others": (
        [a_floor(20.0, wape=20.0), a_score("last_value", 12.0, wape=25.0), a_score("var", 14.0, wape=8.0)],
        "last_value",
        "",
        {},
    ),
    "another measure ranks where it is asked for": (
        [a_floor(20.0, wape=20.0), a_score("last_value", 12.0, wape=25.0), a_score("var", 14.0, wape=8.0)],
        "var",
        "var has the lowest WAPE of 3 candidates: 8.00 %; next is seasonal_naive days=1 with 20.00 %.",
        {"metric": Ranking.WAPE},
    ),
    "so does MASE": (
        [a_score("theta", 1.0, mase=0.9), a_score("var", 14.0, mase=0.7)],
        "var",
        "var has the lowest MASE of 2 candidates: 0.700; next is theta with 0.900.",
        {"metric": Ranking.MASE},
    ),
    "a MASE that is not defined leaves it to WAPE": (
        [a_score("theta", 1.0, mase=None, wape=9.0), a_score("var", 14.0, mase=None, wape=8.0)],
        "var",
        "with 9.00 %; MASE is not defined here.",
        {"metric": Ranking.MASE},
    ),
    "WAPE ranks when more than half of the steps are zero": (
        [a_floor(9.0, wape=80.0, **MORE_ZERO), a_score("var", 30.0, wape=40.0, **MORE_ZERO)],
        "var",
        "var has the lowest WAPE of 2 candidates: 40.00 %; next is seasonal_naive days=1 with 80.00 %; "
        "MAPE says little, since 37 of 72 steps are near zero.",
        {},
    ),
    "or near zero": (
        [a_floor(9.0, wape=80.0, near_zero_steps=37), a_score("var", 30.0, wape=40.0, near_zero_steps=37)],
        "var",
        "37 of 72 steps are near zero",
        {},
    ),
    "MAPE ranks when half of the steps are zero": (
        [a_floor(9.0, wape=80.0, **HALF_ZERO), a_score("var", 30.0, wape=40.0, **HALF_ZERO)],
        "seasonal_naive",
        "",
        {},
    ),
    "RMSE ranks when all steps are zero": (
        [a_floor(None, rmse=2.0, **ALL_ZERO), a_score("var", None, rmse=0.5, **ALL_ZERO)],
        "var",
        "lowest RMSE of 2 candidates: 0.5; next is seasonal_naive days=1 with 2; MAPE says nothing, since all 72 steps are zero.",
        {},
    ),
    "one scored candidate is said to be the only one": (
        [a_failure("var"), a_score("lstm", 3.0)],
        "lstm",
        "lstm is the only candidate that could be scored: MAPE 3.00 %.",
        {},
    ),
}


@pytest.mark.parametrize(("outcomes", "winner", "explanation", "terms"), CHOICES.values(), ids=CHOICES)
def test_of_the_candidates_that_were_scored_one_is_chosen(
    outcomes: list[Outcome], winner: str, explanation: str, terms: dict[str, Any]
) -> None:
    selection = choose(outcomes, **terms)
    assert selection.winner.candidate.model == winner
    assert explanation in selection.explanation
    assert selection.leaderboard[0] is selection.winner


def test_of_equally_cheap_candidates_that_look_equal_the_better_is_first() -> None:
    first, second, third = (a_score("var", mape, {"criterion": name}) for mape, name in ((5.001, "a"), (5.0, "b"), (5.0, "c")))
    assert choose([first, second, third, a_score("lstm", 4.999)]).winner is second


def test_the_leaderboard_has_the_best_first_and_failures_last() -> None:
    outcomes = [a_failure("lstm"), a_score("var", 9.0), a_floor(20.0), a_score("prophet", 5.0), a_failure("theta")]
    board = leaderboard(outcomes)
    assert [outcome.candidate.model for outcome in board] == ["prophet", "var", "seasonal_naive", "lstm", "theta"]
    assert choose(outcomes).leaderboard == board
    assert leaderboard([]) == ()


def test_a_blend_that_is_better_than_its_members_wins() -> None:
    """Three models that are wrong in different steps are right together."""
    selection = choose([A_REFERENCE, *ONE_EACH], TOP3)
    assert selection.winner.candidate.model == "blend_top3"
    assert [candidate.model for candidate in candidates_in(selection.recipe)] == ["theta", "prophet", "var"]
    assert selection.winner.measures.mape == pytest.approx(0.75)
    assert selection.winner.measures.mase == pytest.approx(0.075)
    assert selection.winner.measures.skill == pytest.approx(1 - 0.75 / 20)
    assert selection.explanation == (
        "blend_top3 of theta, prophet and var has the lowest MAPE of 5 candidates: 0.75 %; next is var with 3.00 %."
    )


def test_the_leaderboard_shows_the_blends() -> None:
    board = choose([A_REFERENCE, *ONE_EACH], TOP3).leaderboard
    assert [outcome.candidate.model for outcome in board] == ["blend_top3", "var", "prophet", "theta", "seasonal_naive"]
    assert choose([A_REFERENCE, *ONE_EACH]).leaderboard == board[1:]


def test_a_blend_that_cannot_be_delivered_stays_on_the_leaderboard_as_a_failure() -> None:
    first = choose([A_REFERENCE, *ONE_EACH], TOP3).winner
    failed = Failure(candidate=first.candidate, error="UnstableFit", reason="explosive")
    again = choose(with_failure([A_REFERENCE, *ONE_EACH], failed), TOP3)
    assert (first.candidate.model, again.winner.candidate.model) == ("blend_top3", "var")
    assert [outcome.candidate.model for outcome in again.leaderboard if isinstance(outcome, Failure)] == ["blend_top3"]


def test_what_is_not_ranked_wins_only_where_there_is_nothing_else() -> None:
    """It is on no leaderboard, but what blends are made of."""
    unranked = [each.candidate for each in ONE_EACH]
    selection = choose([A_REFERENCE, *ONE_EACH], TOP3, unranked=unranked)
    assert [outcome.candidate.model for outcome in selection.leaderboard] == ["blend_top3", "seasonal_naive"]
    assert choose([A_REFERENCE, *ONE_EACH], unranked=unranked).winner is A_REFERENCE
    assert choose(ONE_EACH, unranked=unranked).winner in ONE_EACH


def test_a_failure_takes_the_place_of_the_candidate_that_failed() -> None:
    outcomes = [a_floor(20.0), a_score("var", 9.0)]
    assert with_failure(outcomes, a_failure("var")) == [outcomes[0], a_failure("var")]


def test_when_nothing_could_be_scored_each_reason_is_told_once() -> None:
    with pytest.raises(UndefinedScore, match=r"none of 3 candidates could be scored: var: too short; lstm: out of memory$"):
        choose([a_failure("var"), a_failure("theta"), a_failure("lstm", "out of memory")])
