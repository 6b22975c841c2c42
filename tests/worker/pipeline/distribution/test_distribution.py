"""Quantiles of steps and days, and paths: each in order, in range, and agreeing with the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.distribution import Origin, block_name
from shared.domain.forecasts import Candidate, ForecastSpec, WindowForecast
from shared.domain.recipes import Member, Part
from tests.factories import MONDAY, a_load, a_spec
from tests.worker.pipeline.factories import NO_MEASURES, a_snapshot
from worker.models.base import FloatArray
from worker.pipeline.distribution.paths import PATHS
from worker.pipeline.distribution.pool import FINE, MIDDLE, at_levels
from worker.pipeline.distribution.whole import Distribution, Made, distribution
from worker.pipeline.ensembles.recipe import alone
from worker.pipeline.history import known_at_issue
from worker.pipeline.snapshot import Snapshot

SNAPSHOT = a_snapshot()
DAY = 24
LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95]


def folds_of(errors: FloatArray, *, step_seconds: int = 3_600) -> list[WindowForecast]:
    """A backtest that ends with the history, predicted 50 and missed by these errors, oldest first; NaN = gap."""
    count, steps = errors.shape
    return [
        WindowForecast(
            origin_at=MONDAY - timedelta(seconds=step_seconds * steps * (count - number)),
            actual=tuple(None if np.isnan(error) else 50.0 + error for error in row.tolist()),
            prediction=(50.0,) * steps,
            measures=NO_MEASURES,
        )
        for number, row in enumerate(errors)
    ]


def whole_of(
    errors: FloatArray,
    horizon: int = DAY,
    *,
    spec: ForecastSpec | None = None,
    level: float = 50.0,
    snapshot: Snapshot = SNAPSHOT,
) -> Distribution:
    """Of a single winner that predicts the level, with these misses in its backtest."""
    spec = spec or a_spec(horizon_steps=horizon, bounds=(None, None))
    known, _ = known_at_issue(snapshot, spec)
    winner, prediction = Candidate(model="theta"), np.full(horizon, level)
    made = Made(prediction=prediction, recipe=alone(winner), forecasts={winner.label: prediction})
    return distribution(made, folds_of(errors), known, spec, end_at=MONDAY)


def noise(folds: int, steps: int, size: float = 3.0) -> FloatArray:
    return np.random.default_rng(1).normal(0, size, (folds, steps))


def widths(whole: Distribution, level: float = 0.9) -> FloatArray:
    lower, upper = at_levels(whole.steps, [(1 - level) / 2, (1 + level) / 2])
    return upper - lower


any_errors = st.tuples(st.integers(1, 9), st.integers(1, 80), st.integers(0, 2**32 - 1), st.floats(0, 1e6))


@settings(max_examples=25)
@given(shape=any_errors, horizon=st.integers(1, 80), low=st.floats(0, 40), high=st.floats(60, 1e9), gaps=st.booleans())
def test_all_is_in_order_and_in_range_and_agrees(
    shape: tuple[int, int, int, float], horizon: int, low: float, high: float, *, gaps: bool
) -> None:
    folds, steps, seed, size = shape
    errors = np.random.default_rng(seed).standard_cauchy((folds, steps)) * size
    errors[np.random.default_rng(seed).random(errors.shape) < 0.3 * gaps] = np.nan
    whole = whole_of(errors, horizon, spec=a_spec(horizon_steps=horizon, bounds=(low, high)))
    for quantiles in (whole.steps, whole.peaks):
        assert (np.diff(quantiles, axis=0) >= 0).all()
        assert ((quantiles >= low) & (quantiles <= high)).all()
    assert (whole.steps[:MIDDLE] <= 50.0).all()
    assert (whole.steps[MIDDLE + 1 :] >= 50.0).all()
    assert whole.paths.shape in {(PATHS, horizon), (0, horizon)}
    assert ((whole.paths >= low) & (whole.paths <= high)).all()
    days = [slice(start, start + DAY) for start in range(0, horizon, DAY)]
    for day, peaks in zip(days, whole.peaks.T, strict=True):
        assert (peaks >= whole.steps[:, day].max(axis=1)).all()
        assert (whole.paths[:, day].max(axis=1) <= peaks[-1] + 1e-9 * max(1.0, high)).all()


def test_paths_have_the_distribution_of_steps_and_of_peaks() -> None:
    whole = whole_of(noise(9, 72), 72)
    assert np.median(whole.paths, axis=0) == pytest.approx(whole.steps[MIDDLE], abs=2.0)
    for day in range(3):
        found = np.quantile(whole.paths[:, day * DAY : (day + 1) * DAY].max(axis=1), LEVELS)
        assert found == pytest.approx(at_levels(whole.peaks, LEVELS)[:, day], rel=0.12)


def test_hours_of_a_path_that_were_high_together_stay_high_together() -> None:
    load = a_load()
    load[:] = np.repeat(np.random.default_rng(3).normal(50, 3, len(load) // DAY), DAY)  # a day is high as a whole, or low
    paths = whole_of(np.repeat(noise(9, 1), DAY, axis=1), snapshot=a_snapshot(load)).paths
    assert np.corrcoef(paths[:, 3], paths[:, 12])[0, 1] > 0.8


def test_bursts_go_upwards_only() -> None:
    errors = np.where(np.random.default_rng(2).random((9, DAY)) < 0.15, 40.0, 0.0)
    lower, middle, upper = at_levels(whole_of(errors).steps, [0.25, 0.5, 0.95])
    assert (upper - middle).sum() > 3 * (middle - lower).sum()


def test_late_steps_are_less_sure_than_early_ones_where_the_backtest_says_so() -> None:
    wide = widths(whole_of(noise(9, 72, 1.0) * np.linspace(3.0, 12.0, 72), 72))
    assert wide[:6].mean() < wide[48:].mean()


def test_steps_that_were_not_backtested_are_less_sure_than_those_that_were() -> None:
    wide = widths(whole_of(noise(9, DAY), 96))
    assert wide[:DAY].mean() < wide[72:].mean()


@pytest.mark.parametrize(("steps", "blocks"), [(3 * DAY, 9), (DAY, 0)], ids=["as long as the horizon", "shorter"])
def test_only_misses_of_the_whole_horizon_count_as_what_paths_were_made_from(steps: int, blocks: int) -> None:
    assert whole_of(noise(9, steps), 3 * DAY).blocks == blocks


def test_queues_with_the_same_folds_and_days_get_paths_of_the_same_blocks() -> None:
    one = whole_of(noise(9, DAY))
    other = whole_of(noise(9, DAY, 30.0)[::-1], level=400.0, snapshot=a_snapshot(400.0 - a_load()))
    assert sorted(one.drawn_from) == sorted(other.drawn_from)
    assert one.drawn_from != other.drawn_from  # each by its own means
    names = Counter(one.drawn_from)
    assert sum(names.values()) == PATHS
    misses = {name for name in names if name.startswith(Origin.MISSES)}
    assert misses == {block_name(Origin.MISSES, fold.origin_at) for fold in folds_of(noise(9, DAY))}
    assert names[block_name(Origin.MISSES, MONDAY - timedelta(days=1))] >= 3
    assert block_name(Origin.DAY, MONDAY - timedelta(days=1)) in names
    short = whole_of(noise(9, DAY), snapshot=a_snapshot(a_load().iloc[-3 * DAY :]))
    assert {name for name in short.drawn_from if name.startswith(Origin.MISSES)} == misses


def test_few_folds_are_trusted_less_than_many() -> None:
    errors = noise(1, DAY)
    assert widths(whole_of(errors)).mean() > widths(whole_of(np.repeat(errors, 9, axis=0))).mean()


def test_gaps_in_the_backtest_count_for_nothing_and_leave_recent_days() -> None:
    errors = noise(3, DAY)
    with_gap = np.concatenate([errors, np.full((1, DAY), np.nan)])
    assert np.isfinite(whole_of(with_gap).steps).all()
    assert (widths(whole_of(np.full((1, DAY), np.nan))) > 0).any()


def test_a_peak_is_above_the_highest_step_of_a_median_forecast() -> None:
    whole = whole_of(noise(9, DAY, 10.0))
    assert whole.peaks[MIDDLE, 0] > whole.steps[MIDDLE].max()


def test_members_that_disagree_make_a_forecast_less_sure() -> None:
    spec = a_spec(bounds=(None, None))
    known, _ = known_at_issue(SNAPSHOT, spec)

    def of(values: tuple[float, ...]) -> FloatArray:
        members = [Member(candidate=Candidate(model=name)) for name in "abc"]
        forecasts = {member.candidate.label: np.full(DAY, value) for member, value in zip(members, values, strict=True)}
        made = Made(prediction=np.full(DAY, 50.0), recipe=(Part(members=tuple(members)),), forecasts=forecasts)
        return widths(distribution(made, folds_of(noise(9, DAY, 0.1)), known, spec, end_at=MONDAY), 0.5)

    assert (of((20.0, 50.0, 80.0)) > of((50.0, 50.0, 50.0))).all()


@pytest.mark.parametrize("scale", [1e-6, 1e9])
def test_the_unit_does_not_matter(scale: float) -> None:
    usual = whole_of(noise(3, DAY))
    other = a_snapshot(a_load() * scale)
    known, _ = known_at_issue(other, a_spec(bounds=(None, None)))
    made = Made(
        prediction=np.full(DAY, 50.0 * scale),
        recipe=alone(Candidate(model="theta")),
        forecasts={"theta": np.full(DAY, 50.0 * scale)},
    )
    folds = [
        WindowForecast(
            origin_at=fold.origin_at,
            actual=tuple(value and value * scale for value in fold.actual),
            prediction=tuple(value * scale for value in fold.prediction),
            measures=NO_MEASURES,
        )
        for fold in folds_of(noise(3, DAY))
    ]
    found = distribution(made, folds, known, a_spec(bounds=(None, None)), end_at=MONDAY)
    assert found.steps == pytest.approx(usual.steps * scale, rel=1e-6)


@pytest.mark.parametrize(
    "change", [lambda series: series.iloc[-3:], lambda series: series * 0.0, lambda series: series.iloc[-30:]]
)
def test_a_short_or_constant_history_has_a_distribution_too(change: Callable[..., object]) -> None:
    spec = a_spec(horizon_steps=DAY)
    known, _ = known_at_issue(a_snapshot(change(a_load())), spec)
    prediction = np.full(DAY, 7.0)
    made = Made(prediction=prediction, recipe=alone(Candidate(model="theta")), forecasts={"theta": prediction})
    whole = distribution(made, folds_of(np.array([[0.5]])), known, spec, end_at=MONDAY)
    assert np.isfinite(whole.steps).all()
    assert np.isfinite(whole.peaks).all()
    assert len(FINE) == len(whole.steps)
