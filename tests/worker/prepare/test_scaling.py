"""Scaling has an exact inverse, whatever the column."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from worker.prepare.scaling import Scaler


def columns_of(smallest: float, largest: float) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, st.tuples(st.integers(2, 30), st.integers(1, 4)), elements=st.floats(smallest, largest))


@settings(deadline=None)  # the first call imports scikit-learn
@given(columns_of(1e-1, 1e3))
def test_the_inverse_of_a_load_is_exact_value_by_value(values):
    scaler = Scaler.fit(values)
    # rounding the largest possible value, 1,000 × 2⁻⁵², is 2.2e-12 of the smallest possible one, 0.1
    np.testing.assert_allclose(scaler.inverse(scaler.apply(values)), values, rtol=1e-11)


@settings(deadline=None)
@given(columns_of(-1e9, 1e9))
def test_the_inverse_of_anything_is_exact_to_the_size_of_its_column(values):
    scaler = Scaler.fit(values)
    error = np.abs(scaler.inverse(scaler.apply(values)) - values).max(axis=0)
    assert (error <= 1e-12 * np.abs(values).max(axis=0)).all()


def test_scores_have_mean_0_and_spread_1():
    scores_of = np.random.default_rng(1).gamma(2, 30, (200, 3))
    scores = Scaler.fit(scores_of).apply(scores_of)
    assert scores.mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-12)
    assert scores.std(axis=0) == pytest.approx([1, 1, 1])


def test_a_constant_column_is_only_shifted():
    values = np.full((10, 1), 7.0)
    scaler = Scaler.fit(values)
    assert scaler.apply(values).tolist() == [[0.0]] * 10
    assert scaler.inverse(np.zeros((3, 1))).tolist() == [[7.0]] * 3
    assert scaler.apply(np.array([[9.0]])).tolist() == [[2.0]]


def test_no_columns_are_no_special_case():
    nothing = np.empty((5, 0))
    scaler = Scaler.fit(nothing)
    assert scaler.apply(nothing).shape == scaler.inverse(nothing).shape == (5, 0)
