"""Which columns are worth keeping beside the target: not the constant ones, and one of each pair that says the same."""

from __future__ import annotations

import numpy as np
import pandas as pd

MAX_CORRELATION = 0.95


def clean(frame: pd.DataFrame, target: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """The frame with the target first and only the covariates worth keeping, and why each of the others was dropped.

    Constant columns go first: their correlation is not defined. The rest is taken in the order of its correlation with the
    target, strongest first, and a column stays unless its correlation with one that stays is above 0.95: so of each such pair
    the one less correlated with the target goes, and a twin of the target itself goes too. The target is never dropped.

    Args:
        frame: at least one row, without gaps; a column without any value counts as constant.
        target: one of its columns.
    """
    covariates = [name for name in frame.columns if name != target]
    dropped = {name: "constant" for name in covariates if is_constant(frame[name])}
    varying = [name for name in covariates if name not in dropped]
    correlations = frame[[target, *varying]].corr().abs().fillna(0.0)  # NaN: the target is constant
    kept = [target]
    for name in correlations.loc[varying, target].sort_values(ascending=False, kind="stable").index:
        twin = correlations.loc[name, kept].idxmax()
        if correlations.loc[name, twin] > MAX_CORRELATION:
            dropped[name] = f"says the same as {twin} (correlation {correlations.loc[name, twin]:.2f})"
        else:
            kept.append(name)
    return frame[[target, *(name for name in varying if name in kept)]], dropped


def is_constant(values: pd.Series[float]) -> bool:
    """Whether nothing but rounding varies; also when there is no value at all."""
    spread, size = values.max() - values.min(), np.abs(values).max()
    return not bool(spread > 1e-12 * size)
