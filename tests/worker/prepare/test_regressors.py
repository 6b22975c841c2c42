"""What columns that are known ahead do to the target."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from worker.prepare.regressors import influence_of

DAYS, AHEAD = 14, 24
STEPS = DAYS * 24


def columns(seed: int = 1) -> pd.DataFrame:
    drawn = np.random.default_rng(seed)
    steps = STEPS + AHEAD
    plan = drawn.choice([0.0, 0.0, 0.0, 10.0], steps)
    return pd.DataFrame(
        {
            "plan": plan,
            "noise": drawn.normal(size=steps),
            "constant": 3.0,
            "twin": 3 * plan,
            "hour": np.arange(steps) % 24.0,
            "empty": np.nan,
            "late": np.where(np.arange(steps) < STEPS, 0.0, 5.0),
        }
    )


def target(known: pd.DataFrame) -> np.ndarray:
    daily = 20 + 10 * np.sin(np.arange(len(known)) / 24 * 2 * np.pi)
    return daily + 2 * known["plan"].to_numpy() + np.random.default_rng(2).normal(0, 0.5, len(known))


@pytest.mark.parametrize("gap", [0, 48])
def test_the_column_that_moves_the_target_is_used_and_why_the_others_are_not_is_said(gap: int) -> None:
    known = columns()
    known.iloc[:gap] = np.nan
    found = influence_of(target(columns())[:STEPS], known, 24)
    assert found.slopes == {"plan": pytest.approx(2, abs=0.05)}
    assert found.explained > 0.9
    assert np.allclose(np.diff(found.effect[gap:]), 2 * np.diff(known["plan"][gap:]), atol=0.5)
    assert set(found.unused) == {"noise", "twin", "hour"}
    assert "'plan'" in found.unused["twin"]
    assert set(found.unknown) == {"constant", "empty", "late"}
    assert "never changed" in found.unknown["late"]


@pytest.mark.parametrize("names", [["constant", "hour"], ["empty"], ["noise", "constant"], []])
def test_columns_that_tell_nothing_change_nothing(names: list[str]) -> None:
    found = influence_of(target(columns())[:STEPS], columns()[names], 24)
    assert found.slopes == {}
    assert not found.effect.any()
    assert len(found.effect) == STEPS + AHEAD


def test_twins_of_huge_and_tiny_numbers_break_nothing() -> None:
    known = columns()[["plan", "twin"]] * [1e-12, 1e12]
    found = influence_of(target(columns())[:STEPS], known, 24)
    assert np.isfinite(found.effect).all()
    assert found.explained > 0.9


def test_a_target_that_never_changes_and_a_history_of_a_day_have_no_influence() -> None:
    assert influence_of(np.full(STEPS, 7.0), columns(), 24).slopes == {}
    assert influence_of(target(columns())[:30], columns().iloc[:54], 24).slopes == {}
