from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.forecasts import Candidate, Failure, Measures, Outcome, Score, WindowForecast
from shared.domain.search_space import REFERENCE
from shared.errors import UndefinedScore
from tests.factories import MONDAY
from worker.pipeline.ensembles import BLEND_TOP3, BLENDS, Member
from worker.pipeline.selection import choose, leaderboard, with_failure

COSTS = {"last_value": 1, "seasonal_naive": 1, "hour_mean": 1, "var": 5, "prophet": 20, "lstm": 300}


def a_score(model: str, mape: float | None, hyperparameters: dict[str, Any] | None = None, **changes: Any) -> Score:
    values: dict[str, Any] = {
        "wape": mape,
        "smape": mape,
        "mase": 1.0,
        "rmse": 1.0,
        "skill": 0.0,
        "steps": 72,
        "skipped_steps": 0,
    }
    measures = Measures(mape=mape, **(values | changes))
    return Score(
        candidate=Candidate(model=model, hyperparameters=hyperparameters or {}), measures=measures, windows=(), seconds=0.1
    )


def a_floor(mape: float | None, **changes: Any) -> Score:
    return a_score(REFERENCE.model, mape, dict(REFERENCE.hyperparameters), **changes)


def a_failure(model: str, reason: str = "too short") -> Failure:
    return Failure(candidate=Candidate(model=model), error="NeedsMoreHistory", reason=reason)


HALF_ZERO: dict[str, Any] = {"skipped_steps": 36}
MORE_ZERO: dict[str, Any] = {"skipped_steps": 37}
ALL_ZERO: dict[str, Any] = {"skipped_steps": 72, "wape": None}

# rule → outcomes, the winner's model, and what is said of it
CHOICES: dict[str, tuple[list[Outcome], str, str]] = {
    "the lowest MAPE wins": (
        [a_floor(20.0), a_score("var", 9.0), a_score("prophet", 5.0)],
        "prophet",
        "prophet is the best of 3 candidates: MAPE 5 %.",
    ),
    "a tie goes to the cheaper model": (
        [a_floor(20.0), a_score("hour_mean", 10.9), a_score("lstm", 10.0), a_score("prophet", 10.5)],
        "hour_mean",
        "hour_mean (MAPE 10.9 %) is within 10 % of the best, lstm (MAPE 10 %), and the cheaper model.",
    ),
    "no tie beyond a tenth": ([a_floor(20.0), a_score("hour_mean", 11.01), a_score("lstm", 10.0)], "lstm", ""),
    "a model of unknown price is the dearest": ([a_score("novelty", 10.0), a_score("lstm", 10.9)], "lstm", ""),
    "a winner must beat the seasonal naive": (
        [a_score("last_value", 10.0), a_floor(10.0), a_score("var", 12.0)],
        "seasonal_naive",
        "None of 2 other candidates beats the seasonal naive, the same hour yesterday: WAPE 10 %.",
    ),
    # one step near zero makes most of a MAPE: a candidate that is better everywhere else has beaten the floor
    "the floor is beaten by WAPE": (
        [a_floor(20.0, wape=20.0), a_score("last_value", 12.0, wape=25.0), a_score("var", 14.0, wape=8.0)],
        "var",
        "var is the best of the candidates that beat the seasonal naive by WAPE: MAPE 14 %.",
    ),
    "a cheap candidate worse than the floor does not profit from a tie": (
        [a_score("last_value", 10.8), a_floor(10.6), a_score("lstm", 10.0)],
        "seasonal_naive",
        "",
    ),
    "without a score of the floor the best wins": ([a_score("last_value", 50.0), a_failure("seasonal_naive")], "last_value", ""),
    "another season is not the floor": ([a_score("seasonal_naive", 10.0, {"days": 7}), a_score("var", 5.0)], "var", ""),
    "WAPE ranks when more than half of the steps are zero": (
        [a_floor(9.0, wape=80.0, **MORE_ZERO), a_score("var", 30.0, wape=40.0, **MORE_ZERO)],
        "var",
        "var is the best of 2 candidates: WAPE 40 %; MAPE does not count, since 37 of 72 steps are zero.",
    ),
    "MAPE ranks when half of the steps are zero": (
        [a_floor(9.0, wape=80.0, **HALF_ZERO), a_score("var", 30.0, wape=40.0, **HALF_ZERO)],
        "seasonal_naive",
        "",
    ),
    "RMSE ranks when all steps are zero": (
        [a_floor(None, rmse=2.0, **ALL_ZERO), a_score("var", None, rmse=0.5, **ALL_ZERO)],
        "var",
        "RMSE 0.5;",
    ),
    "one scored candidate is said to be the only one": (
        [a_failure("var"), a_score("lstm", 3.0)],
        "lstm",
        "lstm is the only candidate that could be scored: MAPE 3 %.",
    ),
}


@pytest.mark.parametrize(("outcomes", "winner", "explanation"), CHOICES.values(), ids=CHOICES)
def test_of_the_candidates_that_were_scored_one_is_chosen(outcomes: list[Outcome], winner: str, explanation: str) -> None:
    selection = choose(outcomes, COSTS)
    assert selection.winner.candidate.model == winner
    assert explanation in selection.explanation


def test_of_equally_cheap_candidates_in_a_tie_the_better_wins_and_then_the_first() -> None:
    first, second, third = (a_score("var", mape, {"criterion": name}) for mape, name in ((10.5, "a"), (10.0, "b"), (10.0, "c")))
    assert choose([first, second, third, a_score("lstm", 9.9)], COSTS).winner is second


def test_the_leaderboard_has_the_best_first_and_failures_last() -> None:
    outcomes = [a_failure("lstm"), a_score("var", 9.0), a_floor(20.0), a_score("prophet", 5.0), a_failure("theta")]
    board = leaderboard(outcomes)
    assert [outcome.candidate.model for outcome in board] == ["prophet", "var", "seasonal_naive", "lstm", "theta"]
    assert choose(outcomes, COSTS).leaderboard == board
    assert leaderboard([]) == ()


def a_try(model: str, *errors: float, hyperparameters: dict[str, Any] | None = None, windows: int = 2) -> Score:
    """A score of windows in each of which everything is 100 and the model is off by so much in each step."""
    mape = sum(map(abs, errors)) / len(errors)
    scored = a_score(model, mape, hyperparameters, rmse=mape, steps=windows * len(errors), mase=mape / 10)
    window = WindowForecast(
        origin_at=MONDAY,
        actual=(100.0,) * len(errors),
        prediction=tuple(100 + error for error in errors),
        measures=replace(scored.measures, steps=len(errors)),
    )
    return replace(scored, windows=(window,) * windows)


def a_reference_try(windows: int = 2) -> Score:
    return a_try(REFERENCE.model, 20, 20, 20, 20, hyperparameters=dict(REFERENCE.hyperparameters), windows=windows)


A_REFERENCE = a_reference_try()
ONE_EACH = [a_try("theta", 9, 0, 0, 3), a_try("prophet", 0, 9, 0, 3), a_try("var", 0, 0, 9, 3)]
TOP3 = (BLEND_TOP3,)


def test_a_blend_that_is_better_than_its_members_wins() -> None:
    """Three models that are wrong in different steps are right together."""
    selection = choose([A_REFERENCE, *ONE_EACH], COSTS, TOP3)
    assert selection.winner.candidate.model == "blend_top3"
    assert [member.candidate.model for member in selection.members] == ["theta", "prophet", "var"]
    assert selection.winner.measures.mape == pytest.approx(0.75)
    assert selection.winner.measures.mase == pytest.approx(0.075)
    assert selection.winner.measures.skill == pytest.approx(1 - 0.75 / 20)
    assert selection.explanation == ("blend_top3 of theta, prophet and var is the best of 5 candidates: MAPE 0.75 %.")


def test_a_tie_goes_to_the_blend_before_it_goes_to_the_cheaper_model() -> None:
    tries = [a_try("last_value", 10, 10, 10, 10), a_try("theta", 12, 12, 12, 12), a_try("var", 13, 13, 13, 13)]
    selection = choose([A_REFERENCE, *tries], COSTS, TOP3)
    assert selection.winner.candidate.model == "blend_top3"
    assert selection.explanation == (
        "blend_top3 of last_value, theta and var (MAPE 12 %) is taken, as a blend errs less by chance: the best, "
        "last_value (MAPE 10 %), is not 30 % better in all and better in each of several windows."
    )


def test_of_several_blends_the_weighted_one_is_preferred() -> None:
    tries = [a_try("theta", 9, 1, 1, 1), a_try("prophet", 2, 9, 2, 2), a_try("var", 3, 3, 9, 3)]
    selection = choose([A_REFERENCE, *tries], COSTS, BLENDS)
    assert selection.winner.candidate.model == "blend_weighted"
    assert [member.weight for member in selection.members] == sorted((m.weight for m in selection.members), reverse=True)


def test_a_blend_of_many_names_its_heaviest_member() -> None:
    tries = [a_try(model, 5, 5, 5, 5 + extra) for extra, model in enumerate(("theta", "ces", "var", "ets", "lstm"))]
    selection = choose([A_REFERENCE, *tries], COSTS, BLENDS)
    assert selection.explanation.startswith("blend_weighted of 5 candidates, most of all theta")


TWICE_AS_GOOD = [a_try("theta", 4, 4, 4, 4), a_try("prophet", 9, 9, 9, 9), a_try("var", 9, 9, 9, 9)]


def test_what_is_much_better_than_the_blend_in_every_window_wins() -> None:
    selection = choose([A_REFERENCE, *TWICE_AS_GOOD], COSTS, TOP3)
    assert selection.winner.candidate.model == "theta"
    assert selection.members == (Member(candidate=Candidate(model="theta")),)
    assert selection.explanation == "theta is the best of 5 candidates: MAPE 4 %."


def test_what_is_much_better_in_all_but_worse_in_one_window_loses_to_the_blend() -> None:
    best, *others = TWICE_AS_GOOD
    worse = replace(best.windows[0], measures=replace(best.measures, mape=9.5))
    unsteady = replace(best, windows=(best.windows[0], worse))
    assert choose([A_REFERENCE, unsteady, *others], COSTS, TOP3).winner.candidate.model == "blend_top3"


def test_one_window_proves_nothing_against_a_blend() -> None:
    tries = [replace(each, windows=each.windows[:1]) for each in TWICE_AS_GOOD]
    assert choose([a_reference_try(windows=1), *tries], COSTS, TOP3).winner.candidate.model == "blend_top3"


def test_a_blend_has_to_beat_the_floor_too() -> None:
    tries = [a_try("theta", 30, 30, 30, 30), a_try("prophet", 40, 40, 40, 40)]
    selection = choose([A_REFERENCE, *tries], COSTS, TOP3)
    assert selection.winner.candidate == REFERENCE
    assert selection.explanation.startswith("None of 3 other candidates beats the seasonal naive")


def test_the_leaderboard_shows_the_blends() -> None:
    board = choose([A_REFERENCE, *ONE_EACH], COSTS, TOP3).leaderboard
    assert [outcome.candidate.model for outcome in board] == ["blend_top3", "theta", "prophet", "var", "seasonal_naive"]
    assert choose([A_REFERENCE, *ONE_EACH], COSTS).leaderboard == board[1:]


def test_a_blend_that_cannot_be_delivered_stays_on_the_leaderboard_as_a_failure() -> None:
    first = choose([A_REFERENCE, *ONE_EACH], COSTS, BLENDS).winner
    failed = Failure(candidate=first.candidate, error="UnstableFit", reason="explosive")
    again = choose(with_failure([A_REFERENCE, *ONE_EACH], failed), COSTS, BLENDS)
    assert (first.candidate.model, again.winner.candidate.model) == ("blend_weighted", "blend_top3")
    assert [outcome.candidate.model for outcome in again.leaderboard if isinstance(outcome, Failure)] == ["blend_weighted"]


def test_a_failure_takes_the_place_of_the_candidate_that_failed() -> None:
    outcomes = [a_floor(20.0), a_score("var", 9.0)]
    assert with_failure(outcomes, a_failure("var")) == [outcomes[0], a_failure("var")]


def test_when_nothing_could_be_scored_each_reason_is_told_once() -> None:
    with pytest.raises(UndefinedScore, match=r"none of 3 candidates could be scored: var: too short; lstm: out of memory$"):
        choose([a_failure("var"), a_failure("theta"), a_failure("lstm", "out of memory")], COSTS)
