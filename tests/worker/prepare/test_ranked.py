"""Medians and quantiles of a few values are those of numpy."""

from __future__ import annotations

import numpy as np
import pytest

from worker.prepare.ranked import median_of, quantile_of, quantile_of_each


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8])
def test_medians_and_quantiles_of_a_few_values_are_those_of_numpy_in_each_bit(count: int) -> None:
    values = np.random.default_rng(count).gamma(2, 30, count)
    assert median_of(values) == np.median(values)
    for level in (0.0, 0.05, 0.3, 0.5, 0.7, 1.0):
        assert quantile_of(values, level) == np.quantile(values, level)
        rows = np.stack([values, -values])
        assert (quantile_of_each(rows, level) == np.quantile(rows, level, axis=1)).all()
