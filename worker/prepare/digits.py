"""As many digits as samples can mean: what databases add up in another order differs in the last bits only, and no longer.

Without it an optimiser takes another path from the last bit on, and the same samples from two sources have two forecasts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT = 10  # digits: sums of a million samples agree in more
MAX_EXPONENT = 280  # beyond, a power of ten is no number any more


def rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values with so many significant digits; NaN, zero and what is immense or next to nothing stay as they are."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        exponent = np.floor(np.log10(np.abs(values)))
        factor = 10.0 ** (SIGNIFICANT - 1 - exponent)
        found = np.round(values * factor) / factor
    kept: NDArray[np.float64] = np.where(np.abs(exponent) < MAX_EXPONENT, found, values)
    return kept
