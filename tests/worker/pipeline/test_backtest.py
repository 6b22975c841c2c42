from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tests.factories import MONDAY, a_load, a_spec
from tests.worker.pipeline.factories import a_covariate, a_snapshot
from worker.pipeline.backtest import backtest, known_steps
from worker.pipeline.history import known_at
from worker.pipeline.snapshot import Snapshot


def test_windows_follow_each_other_without_overlap_and_end_with_the_history() -> None:
    snapshot = a_snapshot()
    folds = backtest(snapshot, a_spec())
    assert [fold.cutoff_at for fold in folds] == [MONDAY - timedelta(days=days) for days in (3, 2, 1)]
    assert [fold.known.history.length for fold in folds] == [264, 288, 312]
    actual = np.concatenate([fold.actual for fold in folds])
    assert actual.tolist() == snapshot.frame["used_capacity"].iloc[-72:].tolist()


def test_the_first_step_of_a_window_follows_the_last_step_of_its_history() -> None:
    for fold in backtest(a_snapshot(), a_spec()):
        assert fold.known.history.times[fold.known.history.length] == fold.cutoff_at.replace(tzinfo=None)
        assert fold.reference.tolist() == fold.known.history.target[-24:].tolist()


def test_windows_end_with_the_last_step_that_has_a_value() -> None:
    snapshot = a_snapshot(a_load().iloc[:-5])
    assert (snapshot.length, known_steps(snapshot)) == (336, 331)
    folds = backtest(snapshot, a_spec())
    assert folds[-1].cutoff_at == MONDAY - timedelta(hours=29)
    assert np.isfinite(folds[-1].actual).all()


def test_a_gap_in_a_window_is_no_actual_value() -> None:
    load = a_load()
    load.iloc[-10:-8] = np.nan
    folds = backtest(a_snapshot(load), a_spec())
    assert np.flatnonzero(np.isnan(folds[-1].actual)).tolist() == [14, 15]
    assert np.isfinite(folds[-2].actual).all()


def test_scale_and_naive_are_not_defined_on_less_than_a_day() -> None:
    (fold,) = backtest(a_snapshot(a_load(30)), a_spec(windows=1, window_steps=10))
    assert np.isnan(fold.scale)
    assert np.isnan(fold.reference).all()


def test_the_seasonal_naive_is_clipped_like_a_prediction() -> None:
    (fold,) = backtest(a_snapshot(), a_spec(windows=1, bounds=(0.0, 40.0)))
    assert fold.reference.max() == 40.0


@pytest.mark.parametrize("hours", [0, 7])
def test_nothing_after_a_cutoff_is_seen(hours: int) -> None:
    """Values after the first cutoff change: its history stays as it is, to the bit; the later ones do not."""
    load = a_load()
    load.iloc[[250, 251, *range(262, 270)]] = np.nan  # gaps on both sides of the first cutoff
    covariates = {
        "cpu": a_covariate(1),
        "twin": load * 1.01,
        "flat_at_first": a_covariate(2).where(load.index > load.index[264], 1.0),
    }
    snapshot = a_snapshot(load, **covariates)
    first, *later = backtest(snapshot, a_spec())
    changed = snapshot.frame.copy()
    changed.iloc[264 + hours :] = np.random.default_rng(1).uniform(0, 1e6, changed.iloc[264 + hours :].shape)
    again = Snapshot(queue=snapshot.queue, target=snapshot.target, grid=snapshot.grid, frame=changed)
    same, *different = backtest(again, a_spec())
    assert (first.cutoff_at, first.scale) == (same.cutoff_at, same.scale)
    assert first.known.history.target.tobytes() == same.known.history.target.tobytes()
    assert first.known.history.covariates.tobytes() == same.known.history.covariates.tobytes()
    assert first.known.history.calendar.equals(same.known.history.calendar)
    assert first.reference.tobytes() == same.reference.tobytes()
    assert all(old.scale != new.scale for old, new in zip(later, different, strict=True))


def test_a_window_knows_what_a_forecast_issued_at_its_cutoff_would_know() -> None:
    snapshot = a_snapshot(cpu=a_covariate())
    (fold,) = backtest(snapshot, a_spec(windows=1))
    cut = a_snapshot(a_load().iloc[:-24], end=MONDAY - timedelta(days=1), cpu=a_covariate().iloc[:-24])
    issued = known_at(cut, cut.length, 24, a_spec()).history
    assert issued.target.tobytes() == fold.known.history.target.tobytes()
    assert issued.covariates.tobytes() == fold.known.history.covariates.tobytes()
