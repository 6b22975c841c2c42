"""Columns that say nothing, or what another says, are dropped; the target never is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from worker.prepare.clean import clean, is_constant

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
