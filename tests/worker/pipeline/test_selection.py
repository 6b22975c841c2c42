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


def winner(*outcomes: Outcome) -> str:
    return choose(outcomes, COSTS).winner.candidate.model


def test_the_lowest_mape_wins() -> None:
    selection = choose([a_floor(20.0), a_score("var", 9.0), a_score("prophet", 5.0)], COSTS)
    assert selection.winner.candidate.model == "prophet"
    assert selection.explanation == "prophet is the best of 3 candidates: MAPE 5 %."


def test_a_tie_goes_to_the_cheaper_model() -> None:
    selection = choose([a_floor(20.0), a_score("hour_mean", 10.9), a_score("lstm", 10.0), a_score("prophet", 10.5)], COSTS)
    assert selection.winner.candidate.model == "hour_mean"
    assert selection.explanation == (
        "hour_mean (MAPE 10.9 %) is within 10 % of the best, lstm (MAPE 10 %), and the cheaper model."
    )


def test_no_tie_beyond_a_tenth() -> None:
    assert winner(a_floor(20.0), a_score("hour_mean", 11.01), a_score("lstm", 10.0)) == "lstm"


def test_of_equally_cheap_candidates_in_a_tie_the_better_wins_and_then_the_first() -> None:
    first, second, third = (a_score("var", mape, {"criterion": name}) for mape, name in ((10.5, "a"), (10.0, "b"), (10.0, "c")))
    assert choose([first, second, third, a_score("lstm", 9.9)], COSTS).winner is second


def test_a_winner_must_beat_the_seasonal_naive() -> None:
    selection = choose([a_score("last_value", 10.0), a_floor(10.0), a_score("var", 12.0)], COSTS)
    assert selection.winner.candidate == REFERENCE
    assert selection.explanation == "None of 2 other candidates beats the seasonal naive, the same hour yesterday: WAPE 10 %."


def test_the_floor_is_beaten_by_wape() -> None:
    """One step near zero makes most of a MAPE: a candidate that is better everywhere else has beaten the floor."""
    selection = choose([a_floor(20.0, wape=20.0), a_score("last_value", 12.0, wape=25.0), a_score("var", 14.0, wape=8.0)], COSTS)
    assert selection.winner.candidate.model == "var"
    assert selection.explanation == "var is the best of the candidates that beat the seasonal naive by WAPE: MAPE 14 %."


def test_a_cheap_candidate_worse_than_the_floor_does_not_profit_from_a_tie() -> None:
    assert winner(a_score("last_value", 10.8), a_floor(10.6), a_score("lstm", 10.0)) == "seasonal_naive"


def test_without_a_score_of_the_floor_the_best_wins() -> None:
    assert winner(a_score("last_value", 50.0), a_failure("seasonal_naive")) == "last_value"


def test_another_season_is_not_the_floor() -> None:
    assert winner(a_score("seasonal_naive", 10.0, {"days": 7}), a_score("var", 5.0)) == "var"


def test_wape_ranks_when_more_than_half_of_the_steps_are_zero() -> None:
    idle: dict[str, Any] = {"skipped_steps": 37}
    selection = choose([a_floor(9.0, wape=80.0, **idle), a_score("var", 30.0, wape=40.0, **idle)], COSTS)
    assert selection.winner.candidate.model == "var"
    assert (
        selection.explanation == "var is the best of 2 candidates: WAPE 40 %; MAPE does not count, since 37 of 72 steps are zero."
    )


def test_mape_ranks_when_half_of_the_steps_are_zero() -> None:
    idle: dict[str, Any] = {"skipped_steps": 36}
    assert winner(a_floor(9.0, wape=80.0, **idle), a_score("var", 30.0, wape=40.0, **idle)) == "seasonal_naive"


def test_rmse_ranks_when_all_steps_are_zero() -> None:
    idle: dict[str, Any] = {"skipped_steps": 72, "wape": None}
    selection = choose([a_floor(None, rmse=2.0, **idle), a_score("var", None, rmse=0.5, **idle)], COSTS)
    assert selection.winner.candidate.model == "var"
    assert "RMSE 0.5;" in selection.explanation


def test_the_leaderboard_has_the_best_first_and_failures_last() -> None:
    outcomes = [a_failure("lstm"), a_score("var", 9.0), a_floor(20.0), a_score("prophet", 5.0), a_failure("theta")]
    board = leaderboard(outcomes)
    assert [outcome.candidate.model for outcome in board] == ["prophet", "var", "seasonal_naive", "lstm", "theta"]
    assert choose(outcomes, COSTS).leaderboard == board
    assert leaderboard([]) == ()


def test_one_scored_candidate_is_taken_and_said_to_be_the_only_one() -> None:
    assert (
        choose([a_failure("var"), a_score("lstm", 3.0)], COSTS).explanation
        == "lstm is the only candidate that could be scored: MAPE 3 %."
    )


def test_a_winner_that_cannot_be_fitted_again_makes_room_for_the_next() -> None:
    outcomes: list[Outcome] = [a_floor(20.0), a_score("var", 9.0), a_score("prophet", 5.0)]
    failed = choose(outcomes, COSTS).winner
    again: list[Outcome] = [a_failure("prophet") if outcome is failed else outcome for outcome in outcomes]
    assert choose(again, COSTS).winner.candidate.model == "var"


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


def test_a_model_of_unknown_price_is_the_dearest() -> None:
    assert winner(a_score("novelty", 10.0), a_score("lstm", 10.9)) == "lstm"


def test_when_nothing_could_be_scored_each_reason_is_told_once() -> None:
    with pytest.raises(UndefinedScore, match=r"none of 3 candidates could be scored: var: too short; lstm: out of memory$"):
        choose([a_failure("var"), a_failure("theta"), a_failure("lstm", "out of memory")], COSTS)
