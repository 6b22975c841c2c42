"""The blends: scored from what their members forecast, as if they had been fitted themselves."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest

from shared.domain.choice import Effort, Ranking
from shared.domain.forecasts import Candidate, Score
from shared.domain.recipes import Member, Part
from shared.domain.search_space import REFERENCE
from tests.factories import a_load, a_request, a_spec
from tests.worker.pipeline.factories import a_snapshot, answering, offering
from worker.pipeline.backtest import backtest
from worker.pipeline.distribution.pool import at_levels
from worker.pipeline.ensembles.blends import BLEND_CHEAP, BLEND_TOP3, BLEND_WEIGHTED, BLENDS, CHEAP, blends_of
from worker.pipeline.ensembles.names import COMPOSITES, requested_composites
from worker.pipeline.ensembles.recipe import Composite, alone, blended, candidates_in
from worker.pipeline.ensembles.tried import tried
from worker.pipeline.ensembles.weighted import MEMBERS
from worker.pipeline.forecast import refit
from worker.pipeline.score import score
from worker.pipeline.selection.choose import Selection
from worker.pipeline.snapshot import Snapshot

SNAPSHOT = a_snapshot()


def scores_of(*candidates: Candidate, snapshot: Snapshot = SNAPSHOT) -> list[Score]:
    return [score(candidate, backtest(snapshot, a_spec()), a_spec()) for candidate in candidates]


def the_blend(name: str, *candidates: Candidate, snapshot: Snapshot = SNAPSHOT) -> Composite:
    (blend,) = blends_of(tried(scores_of(*candidates, snapshot=snapshot), Ranking.MAPE), {name}, 3_600)
    return blend


def test_each_step_is_the_median_of_the_members() -> None:
    members = scores_of(*CHEAP)
    (blend,) = blends_of(tried(members, Ranking.MAPE), {BLEND_CHEAP}, 3_600)  # those that nobody asks for are not made
    assert blend.score.seconds == 0.0  # they are counted with the members
    for index, window in enumerate(blend.score.windows):
        expected = np.median([member.windows[index].prediction for member in members], axis=0)
        assert window.prediction == pytest.approx(expected)
        assert window.actual == members[0].windows[index].actual
        assert window.origin_at == members[0].windows[index].origin_at


@pytest.mark.parametrize("gap", [False, True])
def test_it_is_measured_as_a_model_of_that_forecast_would_be(gap: bool) -> None:
    """A blend of one forecast three times over has that forecast's measures, with and without gaps."""
    load = a_load()
    if gap:
        load.iloc[-30:-25] = np.nan
    snapshot = a_snapshot(load)
    (alone,) = scores_of(Candidate(model="theta"), snapshot=snapshot)
    twins = [replace(alone, candidate=Candidate(model=name)) for name in "abc"]
    (blend,) = blends_of(tried([*twins, *scores_of(REFERENCE, snapshot=snapshot)], Ranking.MAPE), {BLEND_TOP3}, 3_600)
    for one, other in zip((blend.score, *blend.score.windows), (alone, *alone.windows), strict=True):
        assert (one.measures.crps, other.measures.crps) == (None, None)
        assert astuple(one.measures)[:-1] == pytest.approx(astuple(other.measures)[:-1], rel=1e-9)


def test_the_top_three_are_those_that_miss_least_in_all_windows() -> None:
    scores = [off_by(name, *errors) for name, errors in (("a", (5, 5)), ("b", (4, 1)), ("c", (2, 2)), ("d", (3, 3)))]
    (blend,) = blends_of(tried(scores, Ranking.MAPE), {BLEND_TOP3}, 3_600)
    assert [candidate.model for candidate in candidates_in(blend.recipe)] == ["c", "b", "d"]
    assert blend.score.candidate.hyperparameters == {"members": "c, b, d"}


@pytest.mark.parametrize("name", [BLEND_WEIGHTED, BLEND_TOP3])
def test_what_scores_a_window_was_learned_on_the_others(name: str) -> None:
    """What happened in a window changes how good the blend was there, but not what it had forecast."""
    scores = [
        off_by(candidate, *errors)
        for candidate, errors in zip(MEMBERS, ((1, 9, 1), (2, 8, 3), (9, 1, 7), (4, 4, 4)), strict=False)
    ]
    changed = [replace(each, windows=(*each.windows[:2], replace(each.windows[2], actual=(107.0,) * 24))) for each in scores]
    (before,), (after,) = (blends_of(tried(each, Ranking.MAPE), {name}, 3_600) for each in (scores, changed))
    assert before.score.windows[2].prediction == after.score.windows[2].prediction
    assert before.score.windows[2].measures != after.score.windows[2].measures
    assert before.recipe != after.recipe


def test_with_one_window_all_have_equal_votes_in_the_score() -> None:
    scores = [off_by(model, error) for model, error in (("a", 1), ("b", 2), ("c", 9), ("d", 40), ("e", 50))]
    (blend,) = blends_of(tried(scores, Ranking.MAPE), {BLEND_TOP3}, 3_600)
    assert set(blend.score.windows[0].prediction) == {109.0}
    assert candidates_in(blend.recipe)[0].model == "a"


def test_the_cheap_blend_does_without_one_of_its_members_but_not_without_two() -> None:
    assert candidates_in(the_blend(BLEND_CHEAP, *CHEAP[:3]).recipe) == CHEAP[:3]
    assert blends_of(tried(scores_of(*CHEAP[:2]), Ranking.MAPE), BLENDS, 3_600) == ()


def test_auto_asks_for_the_weighted_blend_and_names_for_those_they_name() -> None:
    assert requested_composites(a_request(model="auto")) == (BLEND_WEIGHTED,)
    assert requested_composites(a_request(model="auto", effort=Effort.THOROUGH)) == COMPOSITES
    assert requested_composites(a_request(model=("prophet", BLEND_CHEAP))) == (BLEND_CHEAP,)
    assert requested_composites(a_request(model=("prophet",))) == ()


def test_the_order_of_the_members_changes_nothing() -> None:
    forecasts = [np.random.default_rng(seed).normal(size=9) for seed in range(4)]
    weights = [0.4, 0.3, 0.2, 0.1]
    assert blended(forecasts, weights).tobytes() == blended(forecasts[::-1], weights[::-1]).tobytes()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_with_equal_weights_it_is_the_median(count: int) -> None:
    forecasts = [np.random.default_rng(seed).normal(size=9) for seed in range(count)]
    assert blended(forecasts, [1.0] * count) == pytest.approx(np.median(forecasts, axis=0))


def test_half_of_the_weight_lies_on_either_side() -> None:
    forecasts = [np.array([value]) for value in (1.0, 2.0, 3.0, 90.0)]
    assert blended(forecasts, [0.1, 0.5, 0.2, 0.2]) == [2.0]
    assert blended(forecasts, [0.1, 0.1, 0.2, 0.6]) == [90.0]
    assert blended(forecasts, [0.25, 0.25, 0.25, 0.25]) == [2.5]


def off_by(model: str | Candidate, *errors: float) -> Score:
    """A score with one window per error, in which everything is 100 and the model is off by so much."""
    (scored,) = scores_of(Candidate(model="last_value"))
    first = replace(scored.windows[0], actual=(100.0,) * 24, measures=replace(scored.windows[0].measures, mase=None))
    windows = [replace(first, prediction=(100.0 + error,) * 24) for error in errors]
    candidate = Candidate(model=model) if isinstance(model, str) else model
    return replace(scored, candidate=candidate, windows=tuple(windows))


def test_a_blend_is_delivered_from_the_refits_of_its_members() -> None:
    members = tuple(Member(candidate=Candidate(model=name)) for name in "abc")
    outvoted = tuple(replace(member, weight=weight) for member, weight in zip(members, (0.2, 0.2, 0.6), strict=True))
    selection = Selection(
        winner=the_blend(BLEND_CHEAP, *CHEAP).score, recipe=(Part(members=members),), leaderboard=(), explanation=""
    )
    with offering(a=answering(1.0), b=answering(2.0), c=answering(90.0)):
        prediction, whole, _ = refit(selection, SNAPSHOT, a_spec())
        assert refit(replace(selection, recipe=(Part(members=outvoted),)), SNAPSHOT, a_spec())[0].tolist() == [90.0] * 24
    assert prediction.tolist() == [2.0] * 24
    assert ((whole.steps[0] <= prediction) & (prediction <= whole.steps[-1])).all()


def test_members_of_the_blend_tell_how_far_off_a_single_winner_may_be() -> None:
    company = (Part(members=tuple(Member(candidate=Candidate(model=name)) for name in "bcd")),)
    selection = Selection(winner=off_by("a", 1, 1, 1), recipe=alone(Candidate(model="a")), leaderboard=(), explanation="")
    with offering(a=answering(50.0), b=answering(20.0), c=answering(50.0), d=answering(80.0)):
        prediction, narrow, _ = refit(selection, SNAPSHOT, a_spec())
        _, wide, _ = refit(replace(selection, company=company), SNAPSHOT, a_spec())
    assert prediction.tolist() == [50.0] * 24
    quarters = [at_levels(each.steps, [0.25, 0.75]) for each in (narrow, wide)]
    assert [np.abs(each - 50).max() > 20 for each in quarters] == [False, True]
