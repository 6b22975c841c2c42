"""Columns that say nothing, or what another says, are dropped; the target never is."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from worker.prepare.clean import MAX_COVARIATES, clean, is_constant

RNG = np.random.default_rng(3)
TARGET, OTHER, NOISE = (RNG.normal(50, 10, 200) for _ in range(3))


def test_constant_columns_go():
    frame = pd.DataFrame({"used": TARGET, "limit": 100.0, "nearly": 100.0 + TARGET * 1e-15, "empty": np.nan, "memory": OTHER})
    kept, dropped = clean(frame, "used")
    assert list(kept) == ["used", "memory"]
    assert dropped == {"limit": "constant", "nearly": "constant", "empty": "constant"}


def test_a_twin_of_the_target_goes_whatever_its_sign():
    frame = pd.DataFrame({"absolute": 3 * TARGET + NOISE * 0.01, "used": TARGET, "free": 100 - TARGET})
    kept, dropped = clean(frame, "used")
    assert list(kept) == ["used"]
    assert dropped["absolute"] == "says the same as used (correlation 1.00)"
    assert set(dropped) == {"absolute", "free"}


def test_what_is_pending_is_no_twin_of_usage_but_may_be_one_of_what_else_is_pending():
    columns = {"used": TARGET, "apps.pendingMB": 3 * TARGET, "pending_vcores": TARGET, "absolute_used": TARGET / 2}
    kept, dropped = clean(pd.DataFrame(columns), "used")
    assert list(kept) == ["used", "apps.pendingMB"]
    assert dropped["pending_vcores"].startswith("says the same as apps.pendingMB")
    assert list(clean(pd.DataFrame(columns)[["pending_vcores", "apps.pendingMB"]], "pending_vcores")[0]) == ["pending_vcores"]


def test_of_a_pair_the_one_less_correlated_with_the_target_goes():
    memory = TARGET + OTHER
    pair = pd.DataFrame({"used": TARGET, "swap": memory + NOISE * 0.2, "memory": memory})
    kept, dropped = clean(pair, "used")
    assert list(kept) == ["used", "memory"]
    assert dropped["swap"].startswith("says the same as memory")


def test_a_column_stays_when_its_only_twin_went_for_another_reason():
    kept, _ = clean(pd.DataFrame({"used": TARGET, "twin": TARGET * 2, "other": OTHER}), "used")
    assert list(kept) == ["used", "other"]


def test_correlation_just_below_the_limit_stays():
    below = TARGET + NOISE * 0.4
    assert 0.85 < abs(np.corrcoef(TARGET, below)[0, 1]) < 0.95
    assert list(clean(pd.DataFrame({"used": TARGET, "below": below}), "used")[0]) == ["used", "below"]


def test_a_constant_target_is_never_dropped():
    kept, dropped = clean(pd.DataFrame({"used": 5.0, "memory": OTHER, "swap": OTHER * 2}, index=range(200)), "used")
    assert list(kept) == ["used", "memory"]
    assert list(dropped) == ["swap"]


def test_the_target_comes_first_and_the_input_is_left_untouched():
    frame = pd.DataFrame({"memory": OTHER, "used": TARGET})
    before = frame.copy()
    assert list(clean(frame, "used")[0]) == ["used", "memory"]
    pd.testing.assert_frame_equal(frame, before)


def test_what_is_constant():
    assert is_constant(pd.Series([0.0, 0.0]))
    assert is_constant(pd.Series([1e9, 1e9 + 1e-6]))
    assert is_constant(pd.Series([np.nan, 7.0]))
    assert not is_constant(pd.Series([0.0, 1e-9]))


def daily(*, seed: int, noise: float) -> np.ndarray:
    """Two weeks of hours with a daily season, and load that lasts for some hours."""
    random, hours = np.random.default_rng(seed), np.arange(336)
    lasting = np.convolve(random.normal(0, 3, 341), np.ones(6) / 6, "valid")
    return 40 + 20 * np.sin(2 * np.pi * (hours - 9) / 24) + lasting + random.normal(0, noise, 336)


@pytest.mark.parametrize("seed", range(5))
def test_a_twin_that_runs_ahead_of_the_target_is_kept_and_one_beside_it_is_not(seed: int) -> None:
    used, random = daily(seed=seed, noise=0.5), np.random.default_rng(seed + 100)
    frame = pd.DataFrame({"used": used, "pending_mb": np.roll(used, -1), "absolute": 3 * used + random.normal(0, 0.5, 336)})
    kept, dropped = clean(frame, "used")
    assert abs(np.corrcoef(frame["used"], frame["pending_mb"])[0, 1]) > 0.95
    assert list(kept) == ["used", "pending_mb"]
    assert list(dropped) == ["absolute"]


def test_a_twin_stays_when_it_is_asked_for_by_name_unless_no_fit_is_defined_with_it():
    used = daily(seed=1, noise=1.0)
    frame = pd.DataFrame({"used": used, "absolute": 3 * used + NOISE.repeat(2)[:336] * 0.01, "free": 100 - used, "cap": 100.0})
    kept, dropped = clean(frame, "used", named=("absolute", "free", "cap"))
    assert list(kept) == ["used", "absolute"]
    assert list(dropped) == ["cap", "free"]


def test_of_very_many_columns_the_most_related_and_the_named_stay():
    random = np.random.default_rng(0)
    used = daily(seed=0, noise=1.0)
    noise = {f"m{number}": random.normal(size=336).cumsum() for number in range(2_000)}
    related = {f"r{number}": used + random.normal(0, 12, 336) for number in range(40)}
    frame = pd.DataFrame({"used": used, **noise, **related, "asked": random.normal(size=336)})
    started = time.process_time()
    kept, dropped = clean(frame, "used", named=("asked",))
    assert time.process_time() - started < 2  # 0.2 s; each against each other took a minute
    assert set(kept) <= {"used", "asked", *related}
    assert kept.shape[1] == 1 + MAX_COVARIATES
    assert len(dropped) == 2_041 - MAX_COVARIATES
    assert dropped["m7"] == "hardly related to used (correlation below 0.3), which of so many columns is chance"
    assert "not among the 30 columns most related to used" in dropped.values()
