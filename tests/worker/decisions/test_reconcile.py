"""Reconciled forecasts add up, stay unbiased, and are those of the general formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from worker.decisions.reconcile import reconciled
from worker.models.base import FloatArray

AMOUNTS = st.floats(0, 1e6)


@st.composite
def families(draw: st.DrawFn) -> tuple[FloatArray, FloatArray, FloatArray]:
    children, steps = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    variances = draw(arrays(float, 1 + children, elements=st.floats(0.01, 1e4)))
    return draw(arrays(float, steps, elements=AMOUNTS)), draw(arrays(float, (children, steps), elements=AMOUNTS)), variances


@settings(max_examples=100)
@given(families())
def test_sums_hold_and_what_adds_up_already_stays(family: tuple[FloatArray, FloatArray, FloatArray]) -> None:
    parent, children, variances = family
    total, each = reconciled(parent, children, variances)
    assert total == pytest.approx(each.sum(axis=0), rel=1e-9, abs=1e-6)
    same, unchanged = reconciled(children.sum(axis=0), children, variances)
    assert unchanged == pytest.approx(children, rel=1e-9, abs=1e-6)
    assert same == pytest.approx(children.sum(axis=0), rel=1e-9, abs=1e-6)


@settings(max_examples=100)
@given(families())
def test_it_is_the_general_formula(family: tuple[FloatArray, FloatArray, FloatArray]) -> None:
    """S (Sᵀ W⁻¹ S)⁻¹ Sᵀ W⁻¹ ŷ, with the sums S and the variances W on a diagonal."""
    parent, children, variances = family
    sums = np.vstack([np.ones(len(children)), np.eye(len(children))])
    weights = np.diag(1 / variances)
    formula = sums @ np.linalg.solve(sums.T @ weights @ sums, sums.T @ weights @ np.vstack([parent, children]))
    total, each = reconciled(parent, children, variances)
    assert np.vstack([total, each]) == pytest.approx(formula, rel=1e-5, abs=1.0)


def test_unbiased_forecasts_stay_unbiased_and_their_misses_become_smaller() -> None:
    dice = np.random.default_rng(7)
    truth, spreads = np.array([300.0, 50.0, 5.0]), np.array([60.0, 5.0, 1.0])
    children = truth[:, np.newaxis] + dice.normal(0, 1, (3, 20_000)) * spreads[:, np.newaxis]
    parent = truth.sum() + dice.normal(0, 30, 20_000)
    total, each = reconciled(parent, children, np.array([30.0, *spreads]) ** 2)
    assert each.mean(axis=1) == pytest.approx(truth, abs=1.0)
    assert total.mean() == pytest.approx(truth.sum(), abs=1.0)
    assert total.std() < parent.std()
    assert (each.std(axis=1) <= children.std(axis=1) * 1.01).all()
    assert each[2].std() == pytest.approx(1.0, abs=0.05)  # a small queue is left alone


def test_without_any_variance_the_gap_is_shared_out_evenly() -> None:
    total, each = reconciled(np.array([10.0]), np.array([[2.0], [4.0]]), np.zeros(3))
    assert each.ravel() == pytest.approx([4.0, 6.0])
    assert total == pytest.approx([10.0])
