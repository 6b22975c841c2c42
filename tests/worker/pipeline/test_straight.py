"""Interpolation of many columns at once is that of numpy, column by column."""

from __future__ import annotations

import numpy as np

from worker.pipeline.distribution.pool import FINE
from worker.pipeline.straight import interpolated


def test_columns_are_interpolated_as_numpy_does_it_one_by_one() -> None:
    rng = np.random.default_rng(7)
    values = np.sort(rng.gamma(2, 30, (len(FINE), 40)), axis=0)
    levels = np.concatenate([FINE, [0.0, 0.001, 0.123, 0.9951, 1.0]])
    own = rng.uniform(0, 1, (64, 40))
    wanted = np.stack([np.interp(levels, FINE, column) for column in values.T], axis=1)
    np.testing.assert_allclose(interpolated(levels, FINE, values), wanted, rtol=1e-12)
    wanted = np.stack([np.interp(own[:, at], FINE, values[:, at]) for at in range(40)], axis=1)
    np.testing.assert_allclose(interpolated(own, FINE, values), wanted, rtol=1e-12)
    assert (interpolated(FINE, FINE, values) == values).all()
