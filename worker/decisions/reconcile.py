"""Forecasts of queues and of their parent made to add up, where sums are shown.

Of each forecast as much is corrected as it is uncertain: MinT with the variances of the misses on the diagonal (Wickramasuriya,
Athanasopoulos and Hyndman, Optimal forecast reconciliation for hierarchical and grouped time series through trace minimization,
J. Am. Stat. Assoc. 114, 2019; "WLS with variance scaling", Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd
ed., 11.3). With equal weights for all (OLS) small queues would be ruined by the misses of large ones.

    b̃ = b + w (p − Σ b) ⁄ (v_p + Σ v),    p̃ = Σ b̃        w = v_b, of each queue its variance; what is unbiased stays so
"""

from __future__ import annotations

import numpy as np

from worker.models.base import FloatArray


def reconciled(parent: FloatArray, children: FloatArray, variances: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The parent's forecast and its children's, which add up then.

    The closed form of MinT for one parent. Values may become less than 0 where a queue is nearly idle; whoever shows them cuts.

    Args:
        parent: shape (steps,). children: shape (children, steps), of at least one child.
        variances: of the misses of the parent, and then of each child, shape (1 + children,); none is negative.
    """
    total = float(variances.sum())
    gap = parent - children.sum(axis=0)
    shares = variances[1:] / total if total > 0 else np.full(len(children), 1 / len(children))
    corrected: FloatArray = children + np.outer(shares, gap)
    return corrected.sum(axis=0), corrected
