"""Chances of a breach on made-up days of a known law: neither too high nor too low, whatever the level."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from shared.domain.distribution import Paths
from shared.domain.forecasts import Candidate, WindowForecast
from shared.domain.likelihood import probability
from tests.factories import MONDAY, a_spec
from tests.worker.pipeline.factories import NO_MEASURES, a_snapshot
from worker.models.base import FloatArray
from worker.pipeline.distribution.whole import Distribution, Made, distribution
from worker.pipeline.ensembles.recipe import alone
from worker.pipeline.history import known_at_issue

DAY, WEEKS, FOLDS = 24, 4, 14
WAVE = 50 + 10 * np.sin(2 * np.pi * np.arange(DAY) / DAY)
SHARES = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])  # of the days on which a level is exceeded
Law = Callable[[np.random.Generator, int], FloatArray]  # so many days


def normal(dice: np.random.Generator, days: int) -> FloatArray:
    return WAVE + dice.normal(0, 4, (days, 1)) + dice.normal(0, 3, (days, DAY))


def skewed(dice: np.random.Generator, days: int) -> FloatArray:
    return WAVE * dice.lognormal(0, 0.15, (days, 1)) + dice.gamma(1.0, 4.0, (days, DAY))


def bursts(dice: np.random.Generator, days: int) -> FloatArray:
    return WAVE + dice.normal(0, 2, (days, DAY)) + (dice.random((days, DAY)) < 0.03) * dice.exponential(25, (days, DAY))


def whole_of(days: FloatArray, prediction: FloatArray) -> Distribution:
    """Of a winner that knows the mean of the law, after these days, which end on a Sunday."""
    hours = pd.date_range(end=MONDAY - timedelta(hours=1), periods=days.size, freq="h")
    spec, winner = a_spec(horizon_steps=DAY, bounds=(0.0, None)), Candidate(model="theta")
    known, _ = known_at_issue(a_snapshot(pd.Series(days.ravel(), index=hours)), spec)
    folds = [
        WindowForecast(
            origin_at=MONDAY - timedelta(days=back),
            actual=tuple(days[-back].tolist()),
            prediction=tuple(prediction.tolist()),
            measures=NO_MEASURES,
        )
        for back in range(FOLDS, 0, -1)
    ]
    made = Made(prediction=prediction, recipe=alone(winner), forecasts={winner.label: prediction})
    return distribution(made, folds, known, spec, end_at=MONDAY)


@pytest.mark.parametrize("law", [normal, skewed, bursts])
def test_chances_are_those_of_the_law_at_every_level(law: Law) -> None:
    dice = np.random.default_rng(7)
    many = law(dice, 20_000)
    levels = np.quantile(many.max(axis=1), 1 - SHARES)
    said = []
    for _ in range(40):
        whole = whole_of(law(dice, 7 * WEEKS), many.mean(axis=0))
        above = (whole.paths.max(axis=1)[:, np.newaxis] > levels).mean(axis=0)
        said.append([probability(share, whole.blocks + whole.windows) for share in above.tolist()])
    assert np.abs(np.mean(said, axis=0) - SHARES).mean() < 0.03


def test_what_one_day_of_the_last_weeks_has_reached_is_neither_impossible_nor_likely() -> None:
    days = np.tile(WAVE, (7 * WEEKS, 1)) + np.random.default_rng(1).normal(0, 1, (7 * WEEKS, DAY))
    days[-5, 12] = 90.0
    share = (whole_of(days, WAVE).paths.max(axis=1) > 80.0).mean()
    assert 0 < share < 0.1


def test_paths_of_any_law_are_whole_and_fit_in_20_kb() -> None:
    for law in (normal, skewed, bursts):
        paths = whole_of(law(np.random.default_rng(3), 7 * WEEKS), WAVE).paths
        assert paths.shape == (64, DAY)
        assert np.isfinite(paths).all()
        assert (paths >= 0).all()
        assert len(Paths.of(paths.tolist()).packed) < 20_000
