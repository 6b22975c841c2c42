"""The choice per lead time: one candidate that is made of the best of each group of lead times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shared.domain.choice import Ranking
from shared.domain.forecasts import Candidate, Score, WindowForecast
from tests.factories import MONDAY, a_spec
from tests.worker.pipeline.factories import a_snapshot, answering, offering
from tests.worker.pipeline.selection.outcomes import a_score, choose
from worker.pipeline.ensembles.by_lead_time import BY_LEAD_TIME, by_lead_time
from worker.pipeline.ensembles.recipe import Composite, candidates_in
from worker.pipeline.ensembles.tried import tried
from worker.pipeline.forecast import refit

HOUR = 3_600


def off_by(model: str, first: float, rest: float, folds: int = 3, steps: int = 24) -> Score:
    """A score in which everything is 100 and the model is off by `first` in the first six hours, then by `rest`."""
    prediction = tuple(100.0 + (first if step < 6 else rest) for step in range(steps))
    scored = a_score(model, (6 * first + (steps - 6) * rest) / steps)
    window = WindowForecast(origin_at=MONDAY, actual=(100.0,) * steps, prediction=prediction, measures=scored.measures)
    return replace(scored, windows=(window,) * folds)


EARLY, LATE = off_by("early", 1, 9), off_by("late", 8, 2)


def chosen(*scores: Score, step_seconds: int = HOUR) -> Composite | None:
    return by_lead_time(tried(scores, Ranking.MAPE), (), step_seconds)


def test_each_group_of_lead_times_has_its_best_and_wins_as_one_candidate() -> None:
    selection = choose([EARLY, LATE], [BY_LEAD_TIME])
    assert selection.winner.candidate.label == "by_lead_time members=from step 1 early, from step 7 late"
    assert selection.winner.measures.mape == pytest.approx((6 * 1 + 18 * 2) / 24)
    assert selection.explanation.startswith("by_lead_time of early and late has the lowest MAPE of 3 candidates: 1.75 %")
    with offering(early=answering(1.0), late=answering(2.0)):
        prediction, *_ = refit(selection, a_snapshot(), a_spec(horizon_steps=30))
    assert prediction.tolist() == [1.0] * 6 + [2.0] * 24


def test_groups_are_of_time_not_of_steps() -> None:
    made = chosen(EARLY, LATE, step_seconds=2 * HOUR)  # six steps are half a day: in its second group both are
    assert made is not None
    assert [part.first_step for part in made.recipe] == [1, 4, 13]


def test_the_best_of_a_group_was_chosen_on_other_windows_than_the_one_it_scores() -> None:
    good, bad = EARLY.windows[0], replace(EARLY.windows[0], prediction=(150.0,) * 24)
    steady, lucky = off_by("steady", 5, 5), replace(EARLY, windows=(bad, bad, good))
    made = chosen(steady, lucky)
    assert made is not None
    assert [set(window.prediction) for window in made.score.windows] == [{105.0}] * 3
    assert candidates_in(made.recipe) == (Candidate(model="steady"),)


@pytest.mark.parametrize(
    "scores", [(off_by("a", 1, 9, folds=1), off_by("b", 8, 2, folds=1)), (EARLY,)], ids=["window", "candidate"]
)
def test_where_there_is_only_one_there_is_no_choice(scores: tuple[Score, ...]) -> None:
    assert chosen(*scores) is None


def test_within_one_group_there_is_no_choice_per_lead_time() -> None:
    assert chosen(off_by("a", 1, 9, steps=6), off_by("b", 2, 9, steps=6)) is None


def test_a_group_without_any_value_takes_the_best_of_all_steps() -> None:
    gap = tuple(None if step < 6 else 100.0 for step in range(24))
    scores = [replace(each, windows=tuple(replace(window, actual=gap) for window in each.windows)) for each in (EARLY, LATE)]
    made = chosen(*scores)
    assert made is not None
    assert candidates_in(made.recipe) == (Candidate(model="late"),)
    assert np.isfinite([window.prediction for window in made.score.windows]).all()
