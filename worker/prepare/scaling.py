"""Standard scores for models that are sensitive to scale: fitted on the training part only, with an exact inverse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaler:
    """Mean and spread per column, learned by scikit-learn's StandardScaler; a constant column is only shifted.

    mean, spread: shape (k,); k may be 0.
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def fit(cls, values: NDArray[np.float64]) -> Self:
        """Learn from the training part, shape (n, k), finite."""
        from sklearn.preprocessing import StandardScaler

        if values.shape[1] == 0:  # scikit-learn refuses it, and a queue without covariates is no special case to us
            return cls(mean=np.zeros(0), spread=np.ones(0))
        fitted = StandardScaler().fit(values)
        return cls(mean=fitted.mean_, spread=fitted.scale_)

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values, shape (m, k), as standard scores."""
        return (values - self.mean) / self.spread

    def inverse(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standard scores, shape (m, k), as values again; exact to 1e-12 of the largest value that the column was fitted on."""
        return scores * self.spread + self.mean
