"""With four windows the newest one is kept for the score that is shown; with fewer there is nothing to keep."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest

from shared.domain.choice import SelectionRule
from shared.domain.forecasts import Candidate, Failure, Outcome, Score
from shared.domain.reports import ReportedScore
from shared.domain.search_space import REFERENCE
from tests.factories import MONDAY, a_job, a_load, a_spec
from tests.worker.pipeline.factories import a_snapshot
from worker.pipeline.backtest import backtest
from worker.pipeline.ensembles.blends import BLENDS
from worker.pipeline.ensembles.recipe import candidates_in
from worker.pipeline.forecast import forecast_queue
from worker.pipeline.score import score
from worker.pipeline.selection.choose import Terms, choose
from worker.pipeline.selection.kept_apart import choose_and_report

CANDIDATES = (
    REFERENCE,
    Candidate(model="hour_mean", hyperparameters={"days": 7}),
    Candidate(model="last_value"),
    Candidate(model="theta"),
    Candidate(model="ces"),
)
TERMS = Terms(costs={candidate.model: 1 for candidate in CANDIDATES})
BLENDING = replace(TERMS, composites=BLENDS, rule=SelectionRule.ROBUST)
FOUR = a_spec(windows=4)


def outcomes_of(load: object = None, windows: int = 4) -> list[Outcome]:
    spec = a_spec(windows=windows)
    seen = backtest(a_snapshot(load), spec)  # type: ignore[arg-type]
    return [score(candidate, seen, spec) for candidate in CANDIDATES]


def test_what_happened_in_the_newest_window_changes_the_score_but_not_the_choice() -> None:
    changed = a_load()
    changed.iloc[-24:] = np.random.default_rng(5).uniform(1, 500, 24)
    before, after = (choose_and_report(outcomes_of(load), BLENDING) for load in (a_load(), changed))
    assert before.winner.candidate == after.winner.candidate
    assert (before.explanation, before.recipe) == (after.explanation, after.recipe)
    assert [each.candidate for each in before.leaderboard] == [each.candidate for each in after.leaderboard]
    assert before.winner.measures.mape != after.winner.measures.mape


@pytest.mark.parametrize("blends", [(), BLENDS])
def test_the_choice_is_that_of_the_older_windows_alone(blends: tuple[str, ...]) -> None:
    """Three windows of a history that ends a day earlier are the same as the first three of four."""
    kept = choose_and_report(outcomes_of(), replace(TERMS, composites=blends))
    snapshot, spec = a_snapshot(a_load().iloc[:-24], end=MONDAY.replace(day=4)), a_spec()
    earlier = choose([score(each, backtest(snapshot, spec), spec) for each in CANDIDATES], replace(TERMS, composites=blends))
    assert kept.winner.candidate == earlier.winner.candidate
    assert kept.explanation == earlier.explanation
    for one, other in zip(kept.leaderboard, earlier.leaderboard, strict=True):
        assert isinstance(one, Score)
        assert isinstance(other, Score)
        assert astuple(one.measures) == pytest.approx(astuple(other.measures), rel=1e-9)


def test_the_shown_score_is_that_of_the_newest_window_and_reaches_the_forecast() -> None:
    selection = choose_and_report(outcomes_of(), TERMS)
    own = next(each for each in outcomes_of() if each.candidate == selection.winner.candidate)
    assert isinstance(own, Score)
    assert astuple(selection.winner.measures) == pytest.approx(astuple(own.windows[-1].measures), rel=1e-9)
    assert [window.prediction for window in selection.winner.windows] == [window.prediction for window in own.windows]
    forecast = forecast_queue(selection, a_snapshot(), FOUR, job=a_job(), created_at=MONDAY)
    assert forecast.mape == selection.winner.measures.mape
    assert selection.reported is ReportedScore.KEPT_APART


def test_the_newest_window_of_a_blend_is_made_of_its_members() -> None:
    selection = choose_and_report(outcomes_of(), BLENDING)
    assert selection.winner.candidate.model in BLENDS
    newest = selection.winner.windows[-1]
    theirs = [
        each.windows[-1].prediction
        for candidate in candidates_in(selection.recipe)
        for each in outcomes_of()
        if isinstance(each, Score) and each.candidate == candidate
    ]
    assert len(selection.winner.windows) == 4
    assert (np.min(theirs, axis=0) <= newest.prediction).all()
    assert (newest.prediction <= np.max(theirs, axis=0)).all()
    assert newest.measures.mase is not None


def test_with_three_windows_all_of_them_choose_and_the_report_says_so() -> None:
    outcomes = outcomes_of(windows=3)
    selection = choose_and_report(outcomes, BLENDING)
    assert selection == choose(outcomes, BLENDING)
    assert selection.reported is ReportedScore.SELECTED_ON


def test_failures_stay_on_the_leaderboard_and_the_floor_may_be_one_of_them() -> None:
    failed = Failure(candidate=REFERENCE, error="OutOfMemory", reason="no memory")
    selection = choose_and_report([failed, *outcomes_of()[1:]], TERMS)
    assert selection.leaderboard[-1] == failed
    assert selection.winner.measures.skill is not None
    assert selection.winner.measures.mase is not None
