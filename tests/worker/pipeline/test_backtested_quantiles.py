"""CRPS on the leaderboard: of the winner and of blends, from quantiles that other folds than the scored one tell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from shared.domain.forecasts import Candidate, ForecastSpec, Score
from tests.factories import a_load, a_spec
from tests.worker.pipeline.factories import a_snapshot
from worker.pipeline.backtest import backtest
from worker.pipeline.backtested_quantiles import with_crps
from worker.pipeline.ensembles.blends import BLEND_WEIGHTED
from worker.pipeline.ensembles.by_lead_time import BY_LEAD_TIME
from worker.pipeline.ensembles.weighted import ARITHMETIC
from worker.pipeline.score import score
from worker.pipeline.selection.choose import Selection, Terms, choose

STILL = Candidate(model="last_value")


def chosen(load: pd.Series, spec: ForecastSpec, *candidates: Candidate, composites: tuple[str, ...] = ()) -> Selection:
    """The selection among these, with the CRPS of those that have one."""
    snapshot = a_snapshot(load)
    scores = [score(candidate, backtest(snapshot, spec), spec) for candidate in candidates]
    terms = Terms(composites=composites, every_steps=spec.stride)
    return with_crps(choose(scores, terms), snapshot, spec)


def one_odd_day() -> pd.Series:
    """100, and 107 all of the last day."""
    load = pd.Series(100.0, index=a_load().index)
    load.iloc[-24:] = 107.0
    return load


def crps_of_folds(found: Score) -> list[float | None]:
    return [fold.measures.crps for fold in found.windows]


def test_a_fold_is_scored_by_what_others_missed_by_and_never_by_its_own_misses() -> None:
    winner = chosen(one_odd_day(), a_spec(), STILL).winner
    first, second, odd = winner.windows
    assert odd.measures.crps == pytest.approx(odd.measures.wape)  # nothing told that it might be 107
    assert (first.measures.wape, second.measures.wape) == (0.0, 0.0)
    assert first.measures.crps == second.measures.crps > 0  # the odd day's misses made their quantiles wider
    together = sum(each.measures.crps * sum(each.actual) for each in winner.windows)
    assert winner.measures.crps == pytest.approx(together / sum(sum(each.actual) for each in winner.windows))


def test_folds_that_share_a_step_tell_nothing_of_each_other() -> None:
    spec = a_spec(every_steps=12)
    assert [found is None for found in crps_of_folds(chosen(a_load(), spec, STILL).winner)] == [False, True, False]
    alone = chosen(a_load(), a_spec(windows=1), STILL).winner
    assert (crps_of_folds(alone), alone.measures.crps) == ([None], None)


def test_the_winner_and_blends_have_a_crps_and_others_have_none() -> None:
    by_day = Candidate(model="hour_median", hyperparameters={"days": 14})
    for composites in ((BLEND_WEIGHTED,), (BLEND_WEIGHTED, BY_LEAD_TIME)):
        found = chosen(a_load(hours=21 * 24), a_spec(windows=7), *ARITHMETIC, by_day, composites=composites)
        told = [each.candidate.model for each in found.leaderboard if isinstance(each, Score) and each.measures.crps]
        assert set(told) == {found.winner.candidate.model, *composites}
        assert found.winner in found.leaderboard
        assert 0 < found.winner.measures.crps < found.winner.measures.wape


def test_steps_without_a_value_are_not_scored() -> None:
    load = a_load()
    load.iloc[-30:-25] = np.nan
    found = crps_of_folds(chosen(load, a_spec(), STILL).winner)
    assert np.isfinite(np.array(found, dtype=float)).all()
